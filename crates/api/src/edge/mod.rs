//! What every request passes, whatever it asks for.

mod headers;
mod ids;
mod pace;
mod peer;
mod remote;
mod verbs;
mod watch;

pub(crate) use headers::harden;
pub use ids::RequestIds;
pub(crate) use pace::{Answer, Paced, Turn};
pub(crate) use peer::PeerTimeout;
pub(crate) use remote::{Arrival, client};
pub(crate) use verbs::Verbs;
pub(crate) use watch::{Operation, REPLAYED, panicked, watch};
