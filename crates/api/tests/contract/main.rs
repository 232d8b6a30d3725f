//! Tests that are made out of the contract: an operation is covered by being declared.

#![expect(
    clippy::unwrap_used,
    reason = "a test has nothing to decide when its set-up fails"
)]

mod access;
mod operation;
mod own;
mod repeat;
#[expect(
    dead_code,
    reason = "these tests make their requests out of the contract"
)]
#[path = "../orchestrator/service.rs"]
mod service;
mod spelling;
mod world;
