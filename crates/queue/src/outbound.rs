//! What this process still has to tell the others: folded, bounded, and cut into messages.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jobengine_domain::id::TenantId;
use jobengine_store::{ReadyJobs, WAKE_MAX_BYTES};
use tokio::sync::Notify;

use crate::hint::{Hint, Ready};

/// Hints that wait to be sent; more are dropped, as a hint may be.
const WAITING_MAX: usize = 1_024;

/// Hints on their way to other processes.
#[derive(Debug, Default)]
pub(crate) struct Outbound {
    waiting: Mutex<Waiting>,
    wake: Notify,
}

/// By tenant and type (`None`: anything), the lowest sort key and how many jobs.
type Waiting = BTreeMap<(TenantId, Option<String>), (i64, u32)>;

impl Outbound {
    pub(crate) fn add(&self, hints: &[Hint]) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for hint in hints {
            let (job_type, from, jobs) = match &hint.ready {
                Ready::Anything => (None, i64::MIN, 1),
                Ready::Jobs(jobs) => (Some(jobs.job_type.clone()), jobs.from, jobs.jobs),
            };
            let room = waiting.len() < WAITING_MAX;
            let key = (hint.tenant, job_type);
            match waiting.get_mut(&key) {
                Some((lowest, count)) => {
                    *lowest = from.min(*lowest);
                    *count = count.saturating_add(jobs);
                }
                None if room => {
                    waiting.insert(key, (from, jobs));
                }
                None => tracing::debug!("too many hints wait to be sent; one was dropped"),
            }
        }
        drop(waiting);
        self.wake.notify_one();
    }

    /// Waits until there is something to tell, and takes it as few messages. `prefix` stands first in each.
    pub(crate) async fn messages(&self, prefix: &str) -> Vec<String> {
        loop {
            let waiting =
                std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
            if !waiting.is_empty() {
                return cut(prefix, waiting);
            }
            self.wake.notified().await;
        }
    }
}

fn cut(prefix: &str, waiting: Waiting) -> Vec<String> {
    let mut messages: Vec<String> = Vec::new();
    for ((tenant, job_type), (from, jobs)) in waiting {
        let ready = job_type.map_or(Ready::Anything, |job_type| {
            Ready::Jobs(ReadyJobs {
                job_type,
                from,
                jobs,
            })
        });
        let line = Hint { tenant, ready }.to_line();
        match messages.last_mut() {
            Some(message) if message.len() + 1 + line.len() <= WAKE_MAX_BYTES => {
                message.push('\n');
                message.push_str(&line);
            }
            _ => messages.push(format!("{prefix}\n{line}")),
        }
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn hints_are_folded_and_cut() {
        let outbound = Outbound::default();
        let tenant: TenantId = "0190f1de-0000-7000-8000-000000000001".parse().unwrap();
        let jobs = |at: usize, from| ReadyJobs {
            job_type: format!("type-{at}"),
            from,
            jobs: 1,
        };
        for at in 0..WAITING_MAX + 5 {
            outbound.add(&Hint::jobs(tenant, vec![jobs(at, 5), jobs(at, 3)]));
        }
        let messages = outbound.messages("me").await;
        assert!(messages.len() > 5);
        assert!(
            messages
                .iter()
                .all(|message| message.len() <= WAKE_MAX_BYTES)
        );
        assert!(messages.iter().all(|message| message.starts_with("me\n")));
        let lines: usize = messages.iter().map(|text| text.lines().count() - 1).sum();
        assert_eq!(lines, WAITING_MAX);
        assert!(messages[0].contains(" 3 2 type-0\n"));
    }
}
