//! Refreshes the gauges that need the database, so that a scrape costs no statement.

use jobengine_domain::metric::{database, ledger, webhook};
use jobengine_store::{Store, StoreError};
use jobengine_telemetry::{Age, Gauge, Registry};

use crate::driver::{Duty, Report};

/// Reads levels and ages of the whole installation and shows them. Every process that runs duties
/// shows the same.
#[derive(Debug)]
pub struct Gauges {
    store: Store,
    jobs: Gauge<1>,
    oldest: Age<1>,
    outbox: Gauge<0>,
    outbox_oldest: Age<0>,
    deliveries: Gauge<0>,
    deliveries_oldest: Age<0>,
    webhooks: Gauge<1>,
    unread: Gauge<1>,
    debts: Gauge<1>,
    debts_oldest: Age<0>,
    workers: Gauge<0>,
    slots: Gauge<0>,
    snapshot: Age<0>,
    dead_rows: Gauge<1>,
}

impl Gauges {
    /// Reads from `store`, shows in `registry`.
    pub fn new(store: Store, registry: &Registry) -> Self {
        Self {
            store,
            jobs: registry.gauge(&ledger::JOBS),
            oldest: registry.age(&ledger::OLDEST),
            outbox: registry.gauge(&ledger::OUTBOX),
            outbox_oldest: registry.age(&ledger::OUTBOX_OLDEST),
            deliveries: registry.gauge(&webhook::PENDING),
            deliveries_oldest: registry.age(&webhook::OLDEST),
            webhooks: registry.gauge(&webhook::WEBHOOKS),
            unread: registry.gauge(&ledger::UNREAD),
            debts: registry.gauge(&ledger::DEBTS),
            debts_oldest: registry.age(&ledger::DEBTS_OLDEST),
            workers: registry.gauge(&ledger::WORKERS),
            slots: registry.gauge(&ledger::SLOTS),
            snapshot: registry.age(&database::SNAPSHOT),
            dead_rows: registry.gauge(&database::DEAD_TUPLES),
        }
    }
}

impl Duty for Gauges {
    const NAME: &'static str = "gauges";

    async fn activate(&self) -> Result<Report, StoreError> {
        let found = self.store.gauges().await?;
        for place in &found.jobs {
            self.jobs.set([&place.state], place.jobs);
            self.oldest.set([&place.state], place.oldest);
        }
        self.outbox.set([], found.outbox);
        self.outbox_oldest.set([], found.outbox_oldest);
        self.deliveries.set([], found.deliveries);
        self.deliveries_oldest.set([], found.deliveries_oldest);
        for (state, webhooks) in &found.webhooks {
            self.webhooks.set([state], *webhooks);
        }
        for (effect, records) in &found.unread {
            self.unread.set([effect], *records);
        }
        for (state, images) in &found.debts {
            self.debts.set([state], *images);
        }
        self.debts_oldest.set([], found.debts_oldest);
        self.workers.set([], found.workers);
        self.slots.set([], found.slots);
        self.snapshot.set([], found.oldest_snapshot);
        for (table, dead) in &found.dead_rows {
            self.dead_rows.set([table], *dead);
        }
        Ok(Report::default())
    }
}
