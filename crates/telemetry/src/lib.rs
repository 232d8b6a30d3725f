//! How the service is seen from outside: metrics, traces, logs.
//!
//! It knows no table, no tenant's rows and no HTTP server; it is handed facts, and nothing waits for
//! it: what cannot be recorded or sent is dropped and counted.

mod handle;
pub mod log;
mod registry;
mod series;
pub mod trace;

pub use handle::{Age, Counter, Gauge, Presence, Sizes, Timing};
pub use registry::Registry;
