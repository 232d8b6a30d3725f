//! Watches the database's clock: when somebody sets it, that is on record.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use jobengine_domain::metric::database::CLOCK_STEPS;
use jobengine_domain::time::Timestamp;
use jobengine_store::{Store, StoreError};
use jobengine_telemetry::{Counter, Registry};
use uuid::Uuid;

use crate::driver::{Duty, Report};

/// Compares the database's clock with the time that has passed in this process.
#[derive(Debug)]
pub struct ClockWatch {
    store: Store,
    replica: Uuid,
    steps: Counter<1>,
    /// What the clock showed last, and when.
    last: Mutex<Option<(Timestamp, Instant)>>,
}

impl ClockWatch {
    /// Watches the clock of `store` for the replica `replica`, and counts in `registry`.
    pub fn new(store: Store, replica: Uuid, registry: &Registry) -> Self {
        Self {
            store,
            replica,
            steps: registry.counter(&CLOCK_STEPS),
            last: Mutex::new(None),
        }
    }
}

impl Duty for ClockWatch {
    const NAME: &'static str = "clock";

    async fn activate(&self) -> Result<Report, StoreError> {
        let asked = Instant::now();
        let now = self.store.now().await?;
        // The answer was on its way for a while: the middle is closest to when the clock was read.
        let read = asked + asked.elapsed() / 2;
        let last = self
            .last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .replace((now, read));
        let Some(by_ms) =
            last.and_then(|(before, at)| now.step_since(before, read.duration_since(at)))
        else {
            return Ok(Report::default());
        };
        let direction = if by_ms < 0 { "back" } else { "forward" };
        self.steps.inc([direction]);
        tracing::warn!(by_ms, "the database's clock was set by {by_ms} ms");
        self.store.clock_stepped(self.replica, by_ms).await?;
        Ok(Report {
            done: 1,
            more: false,
        })
    }
}
