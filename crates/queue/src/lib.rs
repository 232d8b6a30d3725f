//! Wake-ups: hints that work may be ready.
//!
//! A hint may be lost, repeated, reordered or forged without harm: the ledger is the truth, and
//! whoever waits here also looks there by itself, at least once a second.
//!
//! Two transports stand behind one trait. [`Local`] wakes within the process and is all that a
//! single process needs. [`Postgres`] also tells the other processes over the same database, with
//! one coalesced NOTIFY for everything that became ready while the last one was under way.

mod hint;
mod local;
mod outbound;
mod postgres;

use jobengine_domain::id::TenantId;

pub use hint::{Hint, Ready};
pub use local::{Listener, Local};
pub use postgres::Postgres;

/// Wakes whoever waits for work.
pub trait Queue: Send + Sync + 'static {
    /// Tells listeners what may have become ready. Never waits, never fails; may be lost.
    fn announce(&self, hints: &[Hint]);

    /// Hears of one tenant's work from now on, until the listener is dropped.
    fn listen(&self, tenant: TenantId) -> Listener;
}
