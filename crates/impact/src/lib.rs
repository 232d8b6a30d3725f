//! Impact: which images a change of advisories, exploit catalogues, VEX statements or inventory hits.
//!
//! Pure: values in, values out. No clock, file, socket, task, random source or log line; the same
//! inputs give the same bytes on every machine.

pub mod advisory;
pub mod completion;
pub mod cvss_table;
pub mod debt;
pub mod delta;
pub mod document;
pub mod evaluate;
pub mod finding;
pub mod group;
pub mod impact;
pub mod index;
pub mod kev;
pub mod matcher;
pub mod package;
pub mod plan;
pub mod purl;
pub mod range;
pub mod refusal;
pub mod sbom;
pub mod segment;
pub mod segment_input;
pub mod segment_result;
pub mod severity;
pub mod summary;
pub mod version;
pub mod vex;
