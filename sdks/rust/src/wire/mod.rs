//! What travels: requests, written as the contract has them, and answers, read with tolerance for
//! fields that a newer server may add.
//!
//! Moments are RFC 3339 texts in UTC, digests are `sha256:` and 64 hex digits, both as the server
//! writes them.

pub mod dead_letter;
pub mod event;
pub mod finding;
pub mod image;
pub mod impact_run;
pub mod intake;
pub mod job;
pub mod key;
pub mod lease;
pub mod page;
pub mod preview;
pub mod report;
pub mod run;
pub mod story;
pub mod words;
pub mod worker_session;
