//! Streams of events: what a tenant's transactions committed, handed to many readers at once.
//!
//! One tailer per tenant with readers reads what became deliverable and keeps the newest frames in a
//! ring that all its readers share. Whoever is further behind reads pages of the ledger by itself, as
//! fast as its own connection takes them. A reader holds a place, never a queue: what waits for it is
//! bounded, and one whose connection takes nothing is cut off with its cursor (`docs/adr/0011`).

mod channel;
pub(crate) mod cursor;
mod end;
mod frame;
mod hub;
mod pulse;
mod reader;
mod ring;
mod sse;

pub(crate) use end::End;
pub(crate) use frame::Frame;
pub(crate) use hub::Hub;
pub(crate) use reader::{Reader, Start, Turn};
pub(crate) use sse::response;
