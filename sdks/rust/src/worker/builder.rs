//! Settings of a worker.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::handler::{AnyHandler, Handler};
use super::{Settings, Worker};
use crate::client::Client;
use crate::error::Error;

/// Most jobs a worker runs at a time: all of them fit into one heartbeat.
const CONCURRENCY_MAX: u32 = 1_000;

/// Settings of a [`Worker`].
pub struct WorkerBuilder {
    client: Client,
    settings: Settings,
    handlers: BTreeMap<String, Arc<dyn AnyHandler>>,
}

impl WorkerBuilder {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            settings: Settings {
                name: "worker".to_owned(),
                concurrency: 1,
                grace: Duration::from_secs(20),
                cancel_grace: Duration::from_secs(5),
                report_window: Duration::from_mins(2),
            },
            handlers: BTreeMap::new(),
        }
    }

    /// The worker's name, for people; `worker` unless said otherwise.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = name.into();
        self
    }

    /// How many jobs run at a time, 1 to 1000; 1 unless said otherwise.
    #[must_use]
    pub fn concurrency(mut self, concurrency: u32) -> Self {
        self.settings.concurrency = concurrency;
        self
    }

    /// How long running handlers may go on after the worker was told to stop; 20 seconds unless
    /// said otherwise.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.settings.grace = grace;
        self
    }

    /// How long a handler may go on after its cancellation fired, before it is cut off; 5 seconds
    /// unless said otherwise.
    #[must_use]
    pub fn cancel_grace(mut self, cancel_grace: Duration) -> Self {
        self.settings.cancel_grace = cancel_grace;
        self
    }

    /// How long a report is tried to be delivered; 2 minutes unless said otherwise.
    #[must_use]
    pub fn report_window(mut self, report_window: Duration) -> Self {
        self.settings.report_window = report_window;
        self
    }

    /// Does jobs of this type with this handler; the last one named for a type counts.
    #[must_use]
    pub fn handler(mut self, job_type: impl Into<String>, handler: impl Handler) -> Self {
        self.handlers.insert(job_type.into(), Arc::new(handler));
        self
    }

    /// Makes the worker.
    ///
    /// # Errors
    /// [`Error::Settings`] without a handler or a name, or with a concurrency out of bounds.
    pub fn build(self) -> Result<Worker, Error> {
        let refuse = |why: String| Err(Error::Settings(why));
        if self.handlers.is_empty() {
            return refuse("a worker without a handler has nothing to do".to_owned());
        }
        if self.settings.name.trim().is_empty() {
            return refuse("a worker needs a name".to_owned());
        }
        let concurrency = self.settings.concurrency;
        if !(1..=CONCURRENCY_MAX).contains(&concurrency) {
            return refuse(format!(
                "a worker runs 1 to {CONCURRENCY_MAX} jobs at a time, not {concurrency}"
            ));
        }
        Ok(Worker {
            client: self.client,
            settings: self.settings,
            handlers: self.handlers,
        })
    }
}
