//! Wake-ups across processes, over the database they share.

use std::sync::Arc;
use std::time::Duration;

use jobengine_domain::id::TenantId;
use jobengine_store::{Store, StoreError, WakeLine};
use tokio::task::JoinHandle;

use crate::Queue;
use crate::hint::Hint;
use crate::local::{Listener, Local};
use crate::outbound::Outbound;

/// How long to wait before the line is opened again; doubles up to [`RETRY_MAX`].
const RETRY_MIN: Duration = Duration::from_millis(100);
/// The longest wait before the line is opened again.
const RETRY_MAX: Duration = Duration::from_secs(5);

/// Wakes listeners of this process at once, and those of the others over LISTEN and NOTIFY on one
/// connection. While that connection is away, only the others' polling suffers.
#[derive(Debug)]
pub struct Postgres {
    local: Local,
    outbound: Arc<Outbound>,
    driver: JoinHandle<()>,
}

impl Postgres {
    /// Starts the line in the background. `process` names this process among all that share the
    /// database: it does not listen to itself.
    pub fn start(store: Store, process: impl Into<String>) -> Self {
        let local = Local::new();
        let outbound = Arc::new(Outbound::default());
        let line = Line {
            store,
            process: process.into(),
            local: local.clone(),
            outbound: Arc::clone(&outbound),
        };
        Self {
            local,
            outbound,
            driver: tokio::spawn(line.keep()),
        }
    }
}

impl Queue for Postgres {
    fn announce(&self, hints: &[Hint]) {
        self.local.announce(hints);
        self.outbound.add(hints);
    }

    fn listen(&self, tenant: TenantId) -> Listener {
        self.local.listen(tenant)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

struct Line {
    store: Store,
    process: String,
    local: Local,
    outbound: Arc<Outbound>,
}

impl Line {
    async fn keep(self) {
        let mut wait = RETRY_MIN;
        loop {
            match self.store.wake_line().await {
                Ok(line) => {
                    wait = RETRY_MIN;
                    // Whatever was told while nobody listened is lost: everybody looks once.
                    self.local.announce_to_all();
                    if let Err(error) = self.carry(line).await {
                        tracing::warn!(%error, "the line for wake-ups broke; waiters poll until it is back");
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, wait_ms = wait.as_millis(), "the line for wake-ups cannot be opened");
                }
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(RETRY_MAX);
        }
    }

    async fn carry(&self, mut line: WakeLine) -> Result<(), StoreError> {
        loop {
            tokio::select! {
                heard = line.hear() => match heard {
                    Some(message) => self.hear(&message),
                    None => return Ok(()),
                },
                messages = self.outbound.messages(&self.process) => {
                    for message in messages {
                        line.tell(&message).await?;
                    }
                }
            }
        }
    }

    fn hear(&self, message: &str) {
        let mut lines = message.lines();
        if lines.next() == Some(self.process.as_str()) {
            return;
        }
        let hints: Vec<Hint> = lines.filter_map(Hint::from_line).collect();
        self.local.announce(&hints);
    }
}
