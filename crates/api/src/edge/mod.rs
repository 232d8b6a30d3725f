//! What every request passes, whatever it asks for.

mod headers;
mod ids;
mod linger;
mod pace;
mod peer;
mod remote;
mod rest;
mod turn;
mod verbs;
mod watch;

pub(crate) use headers::harden;
pub use ids::RequestIds;
pub(crate) use linger::Lingering;
pub(crate) use pace::Paced;
pub(crate) use peer::PeerTimeout;
pub(crate) use remote::{Arrival, client};
pub(crate) use rest::Resting;
pub(crate) use turn::{Answer, Turn};
pub(crate) use verbs::Verbs;
pub(crate) use watch::{Operation, REPLAYED, panicked, watch};
