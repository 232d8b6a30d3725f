//! The driver: when a duty runs, and what happens when it fails.

use std::future::Future;
use std::time::{Duration, Instant};

use jobengine_domain::metric;
use jobengine_store::StoreError;
use jobengine_telemetry::{Counter, Registry, Timing};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A failing duty backs off up to that.
const PAUSE_MAX: Duration = Duration::from_mins(1);
/// When the failure is one that passes, no longer than that: work waits.
const PASSING_PAUSE_MAX: Duration = Duration::from_secs(2);
/// So often in a row, and it has not passed.
const PASSING_TOLD_AT: u32 = 5;

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
        let (began, mut most) = (Instant::now(), PAUSE_MAX);
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
                most = longest_pause(&error);
                if is_news(&error, failures) {
                    tracing::warn!(duty = name, failures, error = %with_sources(&error), "duty {name} failed; trying again later");
                }
            }
        }
        let pause = period
            .saturating_mul(1 << failures.min(6))
            .min(most.max(period));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// How long a duty backs off at most. What is broken is not mended by haste; what passes by itself is waited for.
const fn longest_pause(error: &StoreError) -> Duration {
    if passes(error) {
        PASSING_PAUSE_MAX
    } else {
        PAUSE_MAX
    }
}

/// Whether a failure is of the sort that passes by itself: PostgreSQL is away or busy, or somebody held a lock
/// for longer than it was waited for.
const fn passes(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Unavailable(_) | StoreError::Busy(_) | StoreError::Conflict(_)
    )
}

/// Whether a failure is told: each of those that ask for a person, of those that pass the fifth in a row. That
/// PostgreSQL is away is told by the store, once for all.
const fn is_news(error: &StoreError, failures: u32) -> bool {
    match error {
        StoreError::Unavailable(_) => false,
        error => !passes(error) || failures == PASSING_TOLD_AT,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_waited_for_shortly_and_told_late() {
        let busy = StoreError::Busy("planned".into());
        let away = StoreError::Unavailable("planned".into());
        let broken = StoreError::Corrupt { place: "a row" };
        for (error, most, told) in [
            (&busy, PASSING_PAUSE_MAX, &[PASSING_TOLD_AT][..]),
            (&away, PASSING_PAUSE_MAX, &[]),
            (&broken, PAUSE_MAX, &[1, 2, 3, 4, 5, 6, 7, 8]),
        ] {
            assert_eq!(longest_pause(error), most);
            let news: Vec<u32> = (1..9).filter(|n| is_news(error, *n)).collect();
            assert_eq!(news, told);
        }
    }
}
