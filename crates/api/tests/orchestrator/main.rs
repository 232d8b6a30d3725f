//! The orchestrator's operations over real HTTP and a real PostgreSQL.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod access;
mod act;
mod administration;
mod batch;
mod bound;
mod bulk;
mod claim;
mod claim_order;
mod clock;
mod contract;
mod dead_letter;
mod events;
mod identity;
mod life;
mod operate;
mod page;
mod plan;
mod poison;
mod project;
mod refusal;
mod repeat;
mod run;
mod search;
mod service;
mod socket;
mod source;
mod stop;
mod stream;
mod tenant;
mod trace;
mod webhook;
mod words;
