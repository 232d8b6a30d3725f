//! The edge over bare TCP: what no well-behaved client sends.

#![expect(
    clippy::unwrap_used,
    reason = "a test has nothing to decide when its set-up fails"
)]

mod caller;
mod drain;
mod network;
mod path;
mod raw;
#[expect(dead_code, reason = "these tests speak bare TCP mostly")]
#[path = "../orchestrator/service.rs"]
mod service;
mod shape;
mod silent;
mod slow;
