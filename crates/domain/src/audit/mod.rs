//! The audit trail that can be proven offline.
//!
//! Every mutation leaves a [`row`]. The rows of a tenant are sealed into a [`chain`], batch by batch;
//! the [`merkle`] root and the end of each batch are signed into a [`checkpoint`]. An [`export`]
//! holds rows and checkpoints, and [`verify`] finds, from its bytes and the public key alone, what was
//! edited, removed, inserted, reordered or rolled back.

pub mod chain;
pub mod checkpoint;
pub mod export;
pub mod finding;
pub mod merkle;
mod parse;
pub mod row;
pub mod seal;
pub mod verify;
