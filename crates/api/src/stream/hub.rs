//! Who reads: places for so many readers, and one channel for each tenant that has some.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use jobengine_domain::caller::Caller;
use jobengine_domain::defaults::{STREAMS_PER_NODE, STREAMS_PER_TENANT};
use jobengine_domain::id::TenantId;
use jobengine_store::Store;
use jobengine_store::secret::InstallationSecret;
use jobengine_telemetry::Presence;
use tokio::sync::watch;

use super::channel::Channel;
use super::pulse::{self, Pulse};
use crate::metrics::Metrics;
use crate::problem::{Code, Problem};

/// The streams of one server. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Hub(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    secret: InstallationSecret,
    metrics: Metrics,
    open: Mutex<Open>,
    /// How many readers there are: the end of the server waits for none.
    readers: watch::Sender<u32>,
}

#[derive(Debug, Default)]
struct Open {
    /// Bounded by the places of the node.
    tenants: HashMap<TenantId, Tenant>,
    pulse: pulse::Shared,
}

#[derive(Debug, Default)]
struct Tenant {
    readers: u32,
    channel: Weak<Channel>,
}

/// The place of one reader, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    hub: Hub,
    tenant: TenantId,
    _counted: Presence,
}

impl Hub {
    pub(crate) fn new(store: Store, secret: InstallationSecret, metrics: Metrics) -> Self {
        Self(Arc::new(Inner {
            store,
            secret,
            metrics,
            open: Mutex::default(),
            readers: watch::Sender::new(0),
        }))
    }

    /// A place for one more reader.
    ///
    /// # Errors
    /// `STREAM_LIMIT_REACHED` when the tenant or the node has no more.
    pub(super) fn admit(&self, tenant: TenantId, kind: &'static str) -> Result<Seat, Problem> {
        let mut open = self.open();
        let all = *self.0.readers.borrow();
        let of_tenant = open.tenants.entry(tenant).or_default();
        let refusal = if of_tenant.readers >= STREAMS_PER_TENANT {
            Some(format!(
                "a tenant has at most {STREAMS_PER_TENANT} streams on one node"
            ))
        } else if all >= STREAMS_PER_NODE {
            Some(format!("a node has at most {STREAMS_PER_NODE} streams"))
        } else {
            None
        };
        if let Some(detail) = refusal {
            open.forget_idle(tenant);
            drop(open);
            self.0.metrics.stream_refused(kind);
            return Err(Problem::new(Code::StreamLimitReached, detail));
        }
        of_tenant.readers += 1;
        self.0.readers.send_modify(|readers| *readers += 1);
        drop(open);
        Ok(Seat {
            hub: self.clone(),
            tenant,
            _counted: self.0.metrics.stream(kind),
        })
    }

    /// What the readers of a tenant share; made for the first of them.
    pub(super) fn channel(&self, tenant: TenantId) -> Arc<Channel> {
        let mut open = self.open();
        let Open { tenants, pulse } = &mut *open;
        let of_tenant = tenants.entry(tenant).or_default();
        if let Some(channel) = of_tenant
            .channel
            .upgrade()
            .filter(|channel| !channel.ring.has_ended())
        {
            return channel;
        }
        let store = &self.0.store;
        let beating = pulse.upgrade().unwrap_or_else(|| {
            let beating = Arc::new(Pulse::start(store.clone()));
            *pulse = Arc::downgrade(&beating);
            beating
        });
        let caller = Caller::system(tenant);
        let channel = Channel::start(store.clone(), self.0.secret.clone(), caller, beating);
        let channel = Arc::new(channel);
        of_tenant.channel = Arc::downgrade(&channel);
        channel
    }

    /// Waits until no reader is left.
    pub(crate) async fn idle(&self) {
        // Fails only when the sender is gone, and it stands in `self`.
        let _ = self
            .0
            .readers
            .subscribe()
            .wait_for(|readers| *readers == 0)
            .await;
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn forget_idle(&mut self, tenant: TenantId) {
        if self.tenants.get(&tenant).is_some_and(|of| of.readers == 0) {
            self.tenants.remove(&tenant);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.hub.open();
        if let Some(of_tenant) = open.tenants.get_mut(&self.tenant) {
            of_tenant.readers = of_tenant.readers.saturating_sub(1);
        }
        open.forget_idle(self.tenant);
        drop(open);
        let readers = &self.hub.0.readers;
        readers.send_modify(|readers| *readers = readers.saturating_sub(1));
    }
}
