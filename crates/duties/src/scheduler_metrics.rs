//! The metrics of the impact scheduler: recorded from what is committed, by the passes that commit it.

use std::sync::Arc;
use std::time::Duration;

use jobengine_domain::metric::scheduler;
use jobengine_impact::summary::DeltaSummary;
use jobengine_store::{Store, StoreError};
use jobengine_telemetry::{Counter, Gauge, Registry, Timing};

/// Runs that no schedule started.
const NO_SCHEDULE: &str = "none";
/// The modes of runs.
const MODES: [&str; 2] = ["analysisOnly", "contentRefresh"];

/// The handles, shared by planner and completion. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SchedulerMetrics(Arc<Handles>);

#[derive(Debug)]
struct Handles {
    planner_runs: Counter<2>,
    planner_latency: Timing<2>,
    segments: Counter<2>,
    images: Counter<2>,
    delta: Counter<1>,
    delta_critical: Counter<1>,
    delta_high: Counter<1>,
    delta_kev: Counter<1>,
    run_duration: Timing<2>,
    runs_active: Gauge<1>,
    backlog: Gauge<2>,
}

/// What became of a run.
#[derive(Debug, Clone)]
pub(crate) struct Completed {
    pub mode: String,
    pub result: String,
    /// From its creation to its completion.
    pub took: Duration,
    pub segments_kept: u64,
    pub segments_unusable: u64,
    /// Images evaluated.
    pub images: u64,
    /// Of these, images whose findings changed.
    pub images_changed: u64,
    pub delta: DeltaSummary,
}

impl SchedulerMetrics {
    /// Records in `registry`.
    pub fn new(registry: &Registry) -> Self {
        Self(Arc::new(Handles {
            planner_runs: registry.counter(&scheduler::PLANNER_RUNS),
            planner_latency: registry.timing(&scheduler::PLANNER_LATENCY),
            segments: registry.counter(&scheduler::SEGMENTS),
            images: registry.counter(&scheduler::IMAGES),
            delta: registry.counter(&scheduler::DELTAS),
            delta_critical: registry.counter(&scheduler::DELTAS_CRITICAL),
            delta_high: registry.counter(&scheduler::DELTAS_HIGH),
            delta_kev: registry.counter(&scheduler::DELTAS_KEV),
            run_duration: registry.timing(&scheduler::RUN_DURATION),
            runs_active: registry.gauge(&scheduler::RUNS_ACTIVE),
            backlog: registry.gauge(&scheduler::BACKLOG),
        }))
    }

    /// A run left planning with segments to evaluate.
    pub(crate) fn enqueued(&self, mode: &str, took: Duration) {
        self.left_planning(mode, "enqueued", took);
    }

    /// Nothing was hit: there is no run.
    pub(crate) fn no_work(&self, mode: &str) {
        self.left_planning(mode, "no_work", Duration::ZERO);
    }

    /// Planning failed; the next pass sees the same changes.
    pub(crate) fn planning_failed(&self, mode: &str, took: Duration) {
        self.left_planning(mode, "failed", took);
    }

    fn left_planning(&self, mode: &str, status: &str, took: Duration) {
        self.0.planner_runs.inc([mode, status]);
        self.0.planner_latency.observe([mode, status], took);
    }

    /// A run's findings took effect.
    pub(crate) fn completed(&self, run: &Completed) {
        let Completed { mode, delta, .. } = run;
        let handles = &self.0;
        handles.segments.add([mode, "Completed"], run.segments_kept);
        handles
            .segments
            .add([mode, "persist_failed"], run.segments_unusable);
        handles.images.add([mode, "true"], run.images_changed);
        let unchanged = run.images.saturating_sub(run.images_changed);
        handles.images.add([mode, "false"], unchanged);
        handles.delta.add([mode], delta.new);
        handles.delta_critical.add([mode], delta.critical);
        handles.delta_high.add([mode], delta.high);
        handles.delta_kev.add([mode], delta.kev);
        handles.run_duration.observe([mode, &run.result], run.took);
    }

    /// A run's findings could not be stored; the next pass tries again.
    pub(crate) fn not_persisted(&self, run: &Completed) {
        let segments = run.segments_kept + run.segments_unusable;
        self.0.segments.add([&run.mode, "persist_failed"], segments);
    }

    /// The segments of a run ended, and the run is not there.
    pub(crate) fn run_missing(&self) {
        self.0.segments.inc([MODES[0], "RunMissing"]);
    }

    /// No run is under way.
    pub(crate) fn idle(&self) {
        for mode in MODES {
            self.0.runs_active.set([mode], 0);
            self.0.backlog.set([mode, NO_SCHEDULE], 0);
        }
    }

    /// Reads from the ledger what is under way: right in every replica, whoever ended a segment.
    pub(crate) async fn refresh(&self, store: &Store) -> Result<(), StoreError> {
        let loads = store.impact_load().await?;
        for mode in MODES {
            let load = loads.iter().find(|load| load.mode == mode);
            let (runs, segments) = load.map_or((0, 0), |load| (load.runs, load.segments));
            self.0.runs_active.set([mode], runs);
            self.0.backlog.set([mode, NO_SCHEDULE], segments);
        }
        Ok(())
    }
}
