//! The scheduler's operations over real HTTP and a real PostgreSQL.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod debian;
mod debt;
mod facts;
mod impact_run;
mod intake;
mod objects;
mod preview;
mod real;
mod refusal;
mod service;
mod tenant;
mod unread;
mod vex;
