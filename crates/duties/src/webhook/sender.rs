//! Which webhooks are sent to, and when.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jobengine_store::secret::InstallationSecret;
use jobengine_store::{Store, StoreError};
use jobengine_telemetry::Registry;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::at_work::{AtWork, Turn};
use super::sending::{Batch, Sending};
use crate::driver::{Duty, Report};
use crate::egress::Egress;

/// A webhook with much to send gives its place to others after so long.
const TURN_MAX: Duration = Duration::from_secs(30);
/// A webhook whose turn failed in the store is left alone for so long.
const REST_AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Sends what is due. A pass only hands out turns: each webhook is worked on by a task of its own,
/// so that a slow receiver keeps nobody waiting but itself.
#[derive(Debug)]
pub struct WebhookSender {
    store: Store,
    sending: Arc<Sending>,
    at_work: AtWork,
    passes: AtomicUsize,
    /// Aborted with the duty: what was on its way is due again a minute later.
    tasks: Mutex<JoinSet<()>>,
}

impl WebhookSender {
    /// Sends from `store` over `egress`, with secrets that were sealed under `installation`, and
    /// records in `registry`.
    pub fn new(
        store: Store,
        egress: Egress,
        installation: InstallationSecret,
        registry: &Registry,
    ) -> Self {
        Self {
            sending: Arc::new(Sending::new(store.clone(), egress, installation, registry)),
            store,
            at_work: AtWork::default(),
            passes: AtomicUsize::new(0),
            tasks: Mutex::default(),
        }
    }
}

impl Duty for WebhookSender {
    const NAME: &'static str = "webhook_sender";

    async fn activate(&self) -> Result<Report, StoreError> {
        let due = self.store.webhooks_due().await?;
        let pass = self.passes.fetch_add(1, Ordering::Relaxed);
        let turns = self.at_work.take(&due, pass);
        let done = turns.len();
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        for turn in turns {
            tasks.spawn(work(Arc::clone(&self.sending), turn));
        }
        // What has no turn now waits for somebody to end theirs, not for another look at once.
        Ok(Report { done, more: false })
    }
}

/// Sends to one webhook until nothing is due, its breaker opens, or its turn is over.
async fn work(sending: Arc<Sending>, turn: Turn) {
    let (tenant, webhook) = turn.who();
    let ends = Instant::now() + TURN_MAX;
    while Instant::now() < ends {
        match sending.batch(tenant, webhook).await {
            Ok(Batch::Sent) => {}
            Ok(Batch::Nothing) => return,
            Ok(Batch::Shut { wait }) => return turn.rest(Instant::now() + wait),
            Err(error) => {
                tracing::warn!(tenant = %tenant, webhook = %webhook, %error, "deliveries of webhook {webhook} could not be read or written down; trying again later");
                return turn.rest(Instant::now() + REST_AFTER_FAILURE);
            }
        }
    }
}
