//! When it is worth looking: how far the ledger's transactions have ended, as one number for all tenants.

use std::sync::Weak;
use std::time::Duration;

use jobengine_store::Store;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// Other processes' commits are seen this late, at most.
const PERIOD: Duration = Duration::from_millis(50);
/// Commits of this process are heard at once, but not looked for more often than this.
const LEAST: Duration = Duration::from_millis(5);
/// After a failure, such as a database that is away.
const PAUSE: Duration = Duration::from_millis(250);

/// Follows the horizon while anybody holds it.
#[derive(Debug)]
pub(super) struct Pulse {
    horizon: watch::Receiver<u64>,
    _task: AbortOnDropHandle<()>,
}

impl Pulse {
    pub(super) fn start(store: Store) -> Self {
        let (sender, horizon) = watch::channel(0);
        let task = tokio::spawn(beat(store, sender));
        Self {
            horizon,
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// Changes when transactions have ended that may have held events back.
    pub(super) fn horizon(&self) -> watch::Receiver<u64> {
        self.horizon.clone()
    }
}

/// Whoever starts the first channel starts the pulse; it ends with the last one.
pub(super) type Shared = Weak<Pulse>;

async fn beat(store: Store, horizon: watch::Sender<u64>) {
    let mut commits = store.commits();
    loop {
        match store.events_horizon().await {
            Ok(now) => {
                horizon.send_if_modified(|before| std::mem::replace(before, now) != now);
                tokio::time::sleep(LEAST).await;
                let _ = tokio::time::timeout(PERIOD, commits.changed()).await;
            }
            Err(error) => {
                tracing::debug!(%error, "the horizon of the event streams cannot be read; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
