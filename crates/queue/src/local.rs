//! Wake-ups within one process.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use jobengine_domain::id::TenantId;
use jobengine_store::ReadyJobs;
use tokio::sync::Notify;

use crate::Queue;
use crate::hint::{Hint, Ready};

/// Job types a listener keeps apart; beyond that it hears of anything.
const TYPES_MAX: usize = 256;

/// Wakes listeners of this process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Local(Arc<Listeners>);

/// Bounded by the listeners themselves: a dropped one leaves.
type Listeners = Mutex<HashMap<TenantId, Vec<Weak<Heard>>>>;

/// Hears of one tenant's work.
#[derive(Debug)]
pub struct Listener {
    tenant: TenantId,
    heard: Arc<Heard>,
    all: Local,
}

/// What one listener heard and has not taken yet.
#[derive(Debug, Default)]
struct Heard {
    open: Mutex<Open>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Open {
    anything: bool,
    jobs: BTreeMap<String, (i64, u32)>,
}

impl Local {
    /// Wakes nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells every listener that it may have missed something.
    pub(crate) fn announce_to_all(&self) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for heard in all.values().flatten().filter_map(Weak::upgrade) {
            heard.add(&Ready::Anything);
        }
    }
}

impl Queue for Local {
    fn announce(&self, hints: &[Hint]) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for hint in hints {
            let Some(listeners) = all.get(&hint.tenant) else {
                continue;
            };
            for heard in listeners.iter().filter_map(Weak::upgrade) {
                heard.add(&hint.ready);
            }
        }
    }

    fn listen(&self, tenant: TenantId) -> Listener {
        let heard = Arc::new(Heard::default());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(tenant).or_default().push(Arc::downgrade(&heard));
        Listener {
            tenant,
            heard,
            all: self.clone(),
        }
    }
}

impl Heard {
    fn add(&self, ready: &Ready) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match ready {
            Ready::Anything => open.anything = true,
            Ready::Jobs(jobs) => {
                let room = open.jobs.len() < TYPES_MAX;
                match open.jobs.get_mut(&jobs.job_type) {
                    Some((from, count)) => {
                        *from = jobs.from.min(*from);
                        *count = count.saturating_add(jobs.jobs);
                    }
                    None if room => {
                        let entry = (jobs.from, jobs.jobs);
                        open.jobs.insert(jobs.job_type.clone(), entry);
                    }
                    None => open.anything = true,
                }
            }
        }
        drop(open);
        self.wake.notify_one();
    }

    fn take(&self) -> Vec<Ready> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Open { anything, jobs } = std::mem::take(&mut *open);
        let jobs = jobs.into_iter().map(|(job_type, (from, jobs))| {
            Ready::Jobs(ReadyJobs {
                job_type,
                from,
                jobs,
            })
        });
        anything
            .then_some(Ready::Anything)
            .into_iter()
            .chain(jobs)
            .collect()
    }
}

impl Listener {
    /// Waits until something was heard, and takes it; hints of one type are folded into one.
    /// May be dropped at any point without losing a hint.
    pub async fn hear(&self) -> Vec<Ready> {
        loop {
            let ready = self.heard.take();
            if !ready.is_empty() {
                return ready;
            }
            self.heard.wake.notified().await;
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(listeners) = all.get_mut(&self.tenant) {
            listeners.retain(|heard| heard.as_ptr() != Arc::as_ptr(&self.heard));
            if listeners.is_empty() {
                all.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_listener_that_has_gone_costs_nothing() {
        let local = Local::new();
        let tenant: TenantId = "0190f1de-0000-7000-8000-000000000001".parse().unwrap();
        let (one, two) = (local.listen(tenant), local.listen(tenant));
        drop(one);
        local.announce_to_all();
        assert_eq!(two.hear().await, [Ready::Anything]);
        drop(two);
        assert!(local.0.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn too_many_types_become_anything() {
        let local = Local::new();
        let tenant: TenantId = "0190f1de-0000-7000-8000-000000000001".parse().unwrap();
        let listener = local.listen(tenant);
        for at in 0..=TYPES_MAX {
            let jobs = ReadyJobs {
                job_type: format!("t{at}"),
                from: 0,
                jobs: 1,
            };
            local.announce(&Hint::jobs(tenant, vec![jobs]));
        }
        let heard = listener.hear().await;
        assert_eq!(heard.len(), TYPES_MAX + 1);
        assert!(heard.contains(&Ready::Anything));
    }
}
