//! The ledger in PostgreSQL: the only crate that speaks SQL.
//!
//! It loads, guards and saves; what is decided, `jobengine_domain` and `jobengine_impact` decide.
//! It knows nothing of HTTP. Every transaction is opened for a caller and sees one tenant.

mod caller;
mod cancel;
mod complete;
mod connect;
mod dag;
mod dead_letter;
mod draw;
pub mod embedded;
mod error;
mod job;
mod lease;
mod migrate;
mod partition;
mod run;
mod session;
mod settle;
mod tenant;
pub mod testing;
mod ticket;
mod tls;
mod ts;

pub use caller::Tx;
pub use complete::{JobReport, Reported};
pub use connect::Store;
pub use dead_letter::DeadLetter;
pub use draw::draw;
pub use error::StoreError;
pub use job::{AttemptRecord, JobFilter, JobRecord, NewJob};
pub use lease::{Grant, LeaseToken};
pub use migrate::migrate;
pub use run::{NewRun, RunRecord};
pub use session::{Directive, Heartbeat};
