//! The heartbeat thread: a runtime and connections of its own, so that nothing a handler does can
//! hold it up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::{CancellationToken, DropGuard};

use super::SessionId;
use super::held::{HeldJobs, named, put_back, take_progress};
use crate::client::{Client, chain};
use crate::draw;
use crate::error::Error;
use crate::retry::RetryPolicy;
use crate::wire::lease::Heartbeat;

/// A heartbeat has half an interval to be answered, but never less than this. Leases are given up in
/// time whether or not one is under way.
const TIMEOUT_MIN: Duration = Duration::from_secs(1);

/// The running thread; it ends when this is dropped.
pub(super) struct Heart {
    stop: DropGuard,
}

impl Heart {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`Error::Heartbeat`]; [`Error::Settings`] from making a client of its own.
    pub(super) fn start(
        client: &Client,
        session: SessionId,
        held: Arc<HeldJobs>,
        drain: CancellationToken,
    ) -> Result<Self, Error> {
        let stop = CancellationToken::new();
        let beats = Beats {
            client: client.apart()?.with_retry(RetryPolicy::never()),
            session,
            held,
            drain,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::Heartbeat)?;
        let stopped = stop.clone();
        std::thread::Builder::new()
            .name("heartbeat".to_owned())
            .spawn(move || runtime.block_on(stopped.run_until_cancelled(beats.run())))
            .map_err(Error::Heartbeat)?;
        Ok(Self {
            stop: stop.drop_guard(),
        })
    }

    /// Ends the thread.
    pub(super) fn stop(self) {
        drop(self.stop);
    }
}

struct Beats {
    client: Client,
    session: SessionId,
    held: Arc<HeldJobs>,
    drain: CancellationToken,
}

impl Beats {
    async fn run(self) {
        tokio::join!(self.beat(), self.lapse());
    }

    /// Gives up leases in time, also while a heartbeat waits for its answer.
    async fn lapse(&self) {
        loop {
            let changed = self.held.changed();
            match self.held.lapse() {
                Some(next) => tokio::select! {
                    () = tokio::time::sleep_until(next.into()) => {}
                    () = changed => {}
                },
                None => changed.await,
            }
        }
    }

    async fn beat(&self) {
        let mut due = Instant::now();
        loop {
            let changed = self.held.changed();
            let held = self.held.beating();
            let interval = self.held.interval();
            if held.is_empty() {
                // A claim holds the session too: with no lease at hand the next beat is a whole
                // interval away.
                changed.await;
                due = Instant::now() + self.held.interval();
                continue;
            }
            if Instant::now() < due {
                tokio::select! {
                    () = tokio::time::sleep_until(due.into()) => {}
                    () = changed => {}
                }
                continue;
            }
            let sent = Instant::now();
            due = match self.send((interval / 2).max(TIMEOUT_MIN)).await {
                Ok(()) => sent + self.held.interval(),
                Err(error) => {
                    tracing::warn!("no heartbeat: {}", chain(&error));
                    Instant::now() + draw::up_to(interval / 4).max(Duration::from_millis(10))
                }
            };
        }
    }

    async fn send(&self, timeout: Duration) -> Result<(), Error> {
        let held = self.held.beating();
        let progress = take_progress(&held);
        let heartbeat = Heartbeat {
            session_id: self.session,
            leases: named(&held),
            progress: progress.clone(),
        };
        let sent = Instant::now();
        let answer = self.client.heartbeat(&heartbeat, timeout).await;
        let answer = answer.inspect_err(|_| put_back(&held, progress))?;
        if self.held.answered(&held, sent, &answer) {
            tracing::info!("the server asks this worker to finish what it holds and stop");
            self.drain.cancel();
        }
        Ok(())
    }
}
