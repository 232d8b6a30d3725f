//! One breaker for each destination of each tenant: what one tenant's receiver does is nothing that
//! another tenant can see.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jobengine_domain::breaker::{Breaker, Passage};
use jobengine_domain::id::TenantId;
use jobengine_domain::time::Timestamp;

/// A destination, as a tenant's webhooks name it: scheme, host and port.
pub(super) type Origin = (TenantId, String);

/// The breakers of a process. They are hints: a process that starts has them all closed.
#[derive(Debug, Default)]
pub(super) struct Breakers(Mutex<BTreeMap<Origin, Breaker>>);

impl Breakers {
    /// What would pass now.
    pub(super) fn look(&self, origin: &Origin, now: Timestamp) -> Passage {
        self.with(origin, |breaker| breaker.admit(now).1)
    }

    /// Lets something pass, if anything may.
    pub(super) fn admit(&self, origin: &Origin, now: Timestamp) -> Passage {
        self.with(origin, |breaker| {
            let (next, passage) = breaker.admit(now);
            *breaker = next;
            passage
        })
    }

    /// Whether what passed before may still be sent: not after the breaker has opened again.
    pub(super) fn is_open(&self, origin: &Origin) -> bool {
        self.with(origin, |breaker| matches!(breaker, Breaker::Open { .. }))
    }

    /// Notes how something that had passed ended.
    pub(super) fn record(&self, origin: &Origin, well: bool, now: Timestamp) {
        self.with(origin, |breaker| *breaker = breaker.record(well, now));
    }

    fn with<T>(&self, origin: &Origin, work: impl FnOnce(&mut Breaker) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut breaker = all.get(origin).copied().unwrap_or_default();
        let done = work(&mut breaker);
        // Only those are kept that have something to tell: there are as many as receivers that fail.
        if breaker == Breaker::default() {
            all.remove(origin);
        } else {
            all.insert(origin.clone(), breaker);
        }
        done
    }
}
