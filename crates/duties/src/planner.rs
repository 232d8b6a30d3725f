//! Plans impact runs: what changed since the last plan, which images that hits, in which slices.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use jobengine_domain::caller::Caller;
use jobengine_domain::digest::Digest;
use jobengine_domain::id::{RunId, TenantId};
use jobengine_domain::priority::Priority;
use jobengine_domain::time::Timestamp;
use jobengine_impact::delta::AdvisoryDelta;
use jobengine_impact::impact::impact;
use jobengine_impact::kev::KevCatalogue;
use jobengine_impact::package::PackageKey;
use jobengine_impact::plan::{Plan, PlanInput, plan};
use jobengine_impact::segment::SegmentSize;
use jobengine_queue::{Hint, Queue};
use jobengine_store::{
    Change, ImpactIndexes, Owing, Place, PlanFacts, Store, StoreError, TenantIndex, Tx,
    segment_jobs,
};
use tokio::sync::Mutex;

pub use jobengine_store::EVALUATE;

use crate::driver::{Duty, Report};
use crate::scheduler_metrics::SchedulerMetrics;
use crate::tenants::each;

mod agenda;
mod news;

use agenda::Agenda;
use news::News;

/// The reader of the change stream that plans.
pub const STREAM: &str = "planner";
/// The mode of the runs that are planned here.
const MODE: &str = "analysisOnly";
/// Changes taken into one plan; what is left is planned next.
const CHANGES_MAX: u32 = 50_000;

/// Changes that come together are planned together.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// A plan is made when nothing has changed for so long.
    pub quiet: Duration,
    /// It is made at the latest when the oldest change has waited so long.
    pub longest: Duration,
}

impl Default for Window {
    /// One second of quiet, ten at most.
    fn default() -> Self {
        Self {
            quiet: Duration::from_secs(1),
            longest: Duration::from_secs(10),
        }
    }
}

impl Window {
    fn is_over(self, oldest: &Change, newest: &Change, now: Timestamp) -> bool {
        let waited = |change: &Change, time: Duration| {
            u128::from(now.ms_since(change.created_at)) >= time.as_millis()
        };
        waited(newest, self.quiet) || waited(oldest, self.longest)
    }
}

/// Plans a run for each tenant whose inventory or knowledge changed.
pub struct Planner {
    store: Store,
    indexes: Arc<ImpactIndexes>,
    queue: Arc<dyn Queue>,
    window: Window,
    size: SegmentSize,
    metrics: SchedulerMetrics,
    agenda: Mutex<Agenda>,
}

impl Planner {
    /// Plans from `store`; new jobs are announced through `queue`, what was planned is recorded in
    /// `metrics`.
    pub const fn new(
        store: Store,
        indexes: Arc<ImpactIndexes>,
        queue: Arc<dyn Queue>,
        window: Window,
        size: SegmentSize,
        metrics: SchedulerMetrics,
    ) -> Self {
        Self {
            store,
            indexes,
            queue,
            window,
            size,
            metrics,
            agenda: Mutex::const_new(Agenda::new()),
        }
    }

    /// Plans one tenant's changes, when there are any and their window is over.
    async fn plan_tenant(&self, tenant: TenantId) -> Result<Turn, StoreError> {
        let caller = Caller::system(tenant);
        let tx = self.store.begin(&caller).await?;
        let from = tx.cursor_get(STREAM).await?;
        let changes = tx.changes_page(&from, CHANGES_MAX).await?;
        let (Some(oldest), Some(newest)) = (changes.first(), changes.last()) else {
            tx.commit().await?;
            return Ok(Turn::Nothing);
        };
        if !self.window.is_over(oldest, newest, tx.now()) {
            tx.commit().await?;
            return Ok(Turn::Later);
        }
        let began = Instant::now();
        let to = newest.place;
        let planned = self.plan_changes(tx, &caller, &changes, (&from, &to)).await;
        match &planned {
            Ok(Some(_)) => self.metrics.enqueued(MODE, began.elapsed()),
            Ok(None) => self.metrics.no_work(MODE),
            // Another replica planned the same changes: the run is counted there.
            Err(StoreError::Stale(_)) => {}
            Err(_) => self.metrics.planning_failed(MODE, began.elapsed()),
        }
        planned.map(|_| Turn::Planned)
    }

    /// Plans changes whose window is over, and moves the cursor past them; the run, if an image is hit.
    async fn plan_changes(
        &self,
        tx: Tx,
        caller: &Caller,
        changes: &[Change],
        (from, to): (&Place, &Place),
    ) -> Result<Option<RunId>, StoreError> {
        let tenant = caller.tenant;
        let news = News::gather(&tx, changes).await?;
        tx.commit().await?;

        let index = self.indexes.current(&self.store, caller).await?;
        let index = index.read().await;
        let hits = Hits::of(&index, &news);
        drop(index);

        let tx = self.store.begin(caller).await?;
        // What was never evaluated as it is made now is not looked at for some packages only: its
        // findings would stand for no SBOM at all.
        let mut full = tx.images_unevaluated(&hits.images).await?;
        full.extend(news.images);
        let (plan, facts) = hits.plan(&full, self.size);
        let run = if plan.segments.is_empty() {
            None
        } else {
            let trace = tx.trace_planned(changes);
            let (run, jobs) = segment_jobs(&plan, trace.map(|trace| trace.to_string()));
            Some(tx.impact_run_create(&run, &plan, facts, &jobs).await?)
        };
        // The cursor and the run move together: every change is covered by exactly one plan.
        tx.cursor_move(STREAM, from, to).await?;
        tx.commit().await?;
        match run {
            Some(run) => {
                let PlanFacts {
                    images_impacted,
                    images_total,
                    ..
                } = facts;
                let segments = plan.segments.len();
                tracing::info!(tenant = %tenant, run = %run, changes = changes.len(), images_impacted, images_total, segments,
                    "planned run {run}: {images_impacted} of {images_total} images in {segments} segments");
                self.queue.announce(&[Hint::anything(tenant)]);
            }
            None => {
                tracing::info!(tenant = %tenant, changes = changes.len(), "nothing to evaluate: no image is hit");
            }
        }
        Ok(run)
    }
}

/// What became of a tenant's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// It has no change that was not planned.
    Nothing,
    /// The window of its changes is not over.
    Later,
    /// Its changes were planned, or another replica's plan stands.
    Planned,
}

impl Duty for Planner {
    const NAME: &'static str = "planner";

    async fn activate(&self) -> Result<Report, StoreError> {
        let changes = self.plan_all_changes().await;
        let debts = self.plan_all_debts().await;
        let (changes, debts) = (changes?, debts?);
        let report = Report {
            done: changes.done + debts.done,
            more: changes.more || debts.more,
        };
        if report.done > 0 {
            self.metrics.refresh(&self.store).await?;
        }
        Ok(report)
    }
}

impl Planner {
    async fn plan_all_changes(&self) -> Result<Report, StoreError> {
        let mut agenda = self.agenda.lock().await;
        agenda.look(&self.store).await?;
        let tenants: Vec<TenantId> = agenda.tenants.iter().copied().collect();
        let agenda = std::sync::Mutex::new(&mut agenda.tenants);
        let planned = async |tenant| match self.plan_tenant(tenant).await {
            Ok(turn) => {
                if turn == Turn::Nothing {
                    let mut tenants = agenda.lock().unwrap_or_else(PoisonError::into_inner);
                    tenants.remove(&tenant);
                }
                Ok(Report {
                    done: usize::from(turn == Turn::Planned),
                    more: false,
                })
            }
            // Another replica planned the same changes: its plan stands.
            Err(StoreError::Stale(_)) => Ok(Report::default()),
            Err(error) => Err(error),
        };
        each(Self::NAME, tenants, planned).await
    }

    /// Plans what is owed and due, apart from what changed: a segment that fails again and again takes no
    /// news with it.
    async fn plan_all_debts(&self) -> Result<Report, StoreError> {
        let tenants = self.store.tenants_owing().await?;
        each(Self::NAME, tenants, |tenant| self.plan_debts(tenant)).await
    }

    async fn plan_debts(&self, tenant: TenantId) -> Result<Report, StoreError> {
        let began = Instant::now();
        let tx = self.store.begin(&Caller::system(tenant)).await?;
        let planned = tx.debts_plan(Owing::Due, self.size, None).await;
        if planned.is_err() {
            self.metrics.planning_failed(MODE, began.elapsed());
        }
        let planned = planned?;
        tx.commit().await?;
        // Another replica may have planned them.
        let Some(paying) = planned else {
            return Ok(Report::default());
        };
        self.metrics.enqueued(MODE, began.elapsed());
        let (run, images) = (paying.run, paying.images);
        tracing::info!(tenant = %tenant, run = %run, images, "planned run {run}: {images} images that earlier runs left out");
        self.queue.announce(&[Hint::anything(tenant)]);
        Ok(Report {
            done: 1,
            more: true,
        })
    }
}

/// What the news hits. Pure: read off the index as it stands.
struct Hits {
    /// Images to look at for some packages.
    images: BTreeSet<Digest>,
    /// These packages.
    packages: BTreeSet<PackageKey>,
    /// Images in the fleet.
    fleet: u64,
    changed: AdvisoryDelta,
}

impl Hits {
    fn of(index: &TenantIndex, news: &News) -> Self {
        let changed =
            AdvisoryDelta::between(&news.before, &news.kev_before, &news.after, &news.kev_after);
        // A statement changes no effect: whatever it speaks of is looked at again.
        let none = KevCatalogue::default();
        let restated = AdvisoryDelta::between([], &none, &news.restated, &none);
        let (hit, said) = (
            impact(&index.index, &changed),
            impact(&index.index, &restated),
        );
        Self {
            images: index.digests_of(hit.images.or(&said.images).iter()),
            packages: hit.packages.union(&said.packages).cloned().collect(),
            fleet: index.digests.len() as u64,
            changed,
        }
    }

    fn plan(&self, full: &BTreeSet<Digest>, size: SegmentSize) -> (Plan, PlanFacts) {
        let plan = plan(&PlanInput {
            full,
            scoped: &self.images,
            packages: &self.packages,
            fleet: self.fleet,
            worst: self.changed.worst(),
            kev: self.changed.exploited(),
            floor: Priority::Low,
            size: size.for_images(full.len() + self.images.len()),
        });
        let images = plan.segments.iter().map(|part| part.images.len() as u64);
        let facts = PlanFacts {
            images_impacted: images.sum(),
            images_total: self.fleet,
            advisories_changed: self.changed.advisories_changed() as u64,
        };
        (plan, facts)
    }
}
