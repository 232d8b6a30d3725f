//! Webhooks from the event to the receiver: a real PostgreSQL, a real HTTP receiver, and the duties
//! between them.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod delivery;
mod failure;
mod fairness;
mod house;
mod https;
mod receiver;
mod secret;
mod stream;
