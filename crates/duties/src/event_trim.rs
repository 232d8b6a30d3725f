//! Trims events that nobody can ask for any more.

use jobengine_domain::defaults::EVENTS_KEPT_HOURS;
use jobengine_domain::time::Timestamp;
use jobengine_store::{Store, StoreError};

use crate::driver::{Duty, Report};

/// How long events are kept, in microseconds.
const KEPT_US: i64 = EVENTS_KEPT_HOURS as i64 * 60 * 60 * 1_000_000;

/// Drops whole days of events once the youngest of them is older than events are kept, and leaves word
/// of the last one: a reader whose cursor lies before it is refused, not handed a stream with a hole.
#[derive(Debug)]
pub struct EventTrim {
    store: Store,
}

impl EventTrim {
    /// Trims the events in `store`.
    pub const fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Duty for EventTrim {
    const NAME: &'static str = "event_trim";

    async fn activate(&self) -> Result<Report, StoreError> {
        let now = self.store.now().await?.as_micros();
        let before = Timestamp::from_micros(now.saturating_sub(KEPT_US));
        Ok(Report {
            done: self.store.events_trim(before).await?,
            // What is being read is left for the next pass.
            more: false,
        })
    }
}
