//! The Rust SDK against a real server: what is sent comes back.

#![expect(
    clippy::unwrap_used,
    reason = "a test has nothing to decide when its set-up fails"
)]

mod impact;
mod job;
mod service;
mod stream;
mod worker;
