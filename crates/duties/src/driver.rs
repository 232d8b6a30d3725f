//! The driver: when a duty runs, and what happens when it fails.

use std::future::Future;
use std::time::{Duration, Instant};

use jobengine_domain::metric;
use jobengine_store::StoreError;
use jobengine_telemetry::{Counter, Registry, Timing};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// One bounded, repeatable pass without input.
pub trait Duty: Send + Sync + 'static {
    /// What it is called in logs and metrics.
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
    passes: Passes,
}

/// What is counted of passes.
#[derive(Debug, Clone)]
struct Passes {
    made: Counter<2>,
    took: Timing<1>,
    done: Counter<1>,
}

impl Driver {
    /// A driver that stops when `stop` is cancelled, and records in `registry`.
    pub fn new(stop: CancellationToken, registry: &Registry) -> Self {
        Self {
            tasks: JoinSet::new(),
            stop,
            passes: Passes {
                made: registry.counter(&metric::duty::PASSES),
                took: registry.timing(&metric::duty::DURATION),
                done: registry.counter(&metric::duty::DONE),
            },
        }
    }

    /// Runs a duty every `period`, and at once while more is due.
    pub fn add<D: Duty>(&mut self, duty: D, period: Duration) {
        let (stop, passes) = (self.stop.clone(), self.passes.clone());
        self.tasks
            .spawn(async move { run(&duty, period, &stop, &passes).await });
    }

    /// Waits for every duty to end its pass.
    pub async fn join(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn run<D: Duty>(duty: &D, period: Duration, stop: &CancellationToken, passes: &Passes) {
    let name = D::NAME;
    let mut failures = 0_u32;
    while !stop.is_cancelled() {
        let began = Instant::now();
        let pass = duty.activate().await;
        passes.took.observe([name], began.elapsed());
        match pass {
            Ok(report) => {
                failures = 0;
                passes.made.inc([name, "done"]);
                passes.done.add([name], report.done as u64);
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
                passes.made.inc([name, "failed"]);
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
