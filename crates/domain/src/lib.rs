//! The rules of the ledger: what a job's next state is, when it is tried again, who goes first,
//! and how evidence is written down.
//!
//! Pure: values in, values out. No clock, file, socket, task, random source or log line; the same
//! inputs give the same bytes on every machine.

pub mod audit;
pub mod breaker;
pub mod caller;
pub mod canon;
pub mod class;
pub mod dag;
pub mod dag_path;
pub mod dag_rest;
pub mod defaults;
pub mod digest;
pub mod dsse;
pub mod egress;
pub mod event;
pub mod hold;
pub mod id;
pub mod idempotency;
pub mod json_diff;
pub mod leader;
pub mod lease;
pub mod log_line;
pub mod metric;
pub mod network;
pub mod priority;
pub mod retry;
pub mod run;
pub mod signature;
pub mod state;
pub mod statement;
pub mod states_doc;
pub mod stream;
pub mod time;
pub mod trace;
pub mod upstream;
pub mod webhook;
