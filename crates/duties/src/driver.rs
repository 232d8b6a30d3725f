//! The driver: when a duty runs, and what happens when it fails.

use std::future::Future;
use std::time::Duration;

use jobengine_store::StoreError;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// One bounded, repeatable pass without input.
pub trait Duty: Send + Sync + 'static {
    /// What it is called in logs.
    const NAME: &'static str;

    /// Does what is due. A failure is not handled here: the next pass sees the same rows.
    fn activate(&self) -> impl Future<Output = Result<Report, StoreError>> + Send;
}

/// What a pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// How many things it dealt with.
    pub done: usize,
    /// Whether more is due right now.
    pub more: bool,
}

/// Runs duties until it is told to stop.
#[derive(Debug)]
pub struct Driver {
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl Driver {
    /// A driver that stops when `stop` is cancelled.
    pub fn new(stop: CancellationToken) -> Self {
        Self {
            tasks: JoinSet::new(),
            stop,
        }
    }

    /// Runs a duty every `period`, and at once while more is due.
    pub fn add<D: Duty>(&mut self, duty: D, period: Duration) {
        let stop = self.stop.clone();
        self.tasks
            .spawn(async move { run(&duty, period, &stop).await });
    }

    /// Waits for every duty to end its pass.
    pub async fn join(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn run<D: Duty>(duty: &D, period: Duration, stop: &CancellationToken) {
    let name = D::NAME;
    let mut failures = 0_u32;
    while !stop.is_cancelled() {
        match duty.activate().await {
            Ok(report) => {
                failures = 0;
                if report.done > 0 {
                    tracing::debug!(
                        duty = name,
                        done = report.done,
                        more = report.more,
                        "duty {name} did its pass"
                    );
                }
                if report.more {
                    continue;
                }
            }
            Err(error) => {
                failures = failures.saturating_add(1);
                tracing::warn!(duty = name, failures, error = %with_sources(&error), "duty {name} failed; trying again later");
            }
        }
        // A failing duty backs off up to a minute: what is broken is not mended by haste.
        let pause = period
            .saturating_mul(1 << failures.min(6))
            .min(Duration::from_mins(1).max(period));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
}

fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
