//! What the demo came to, as a program reads it.

use jobengine_sdk::wire::impact_run::{Delta, ImpactRun};
use jobengine_sdk::wire::run::Run;
use serde::Serialize;
use uuid::Uuid;

/// The demo's object. The same inputs give the same object but for ids, timings and keys.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    pub(super) images: u64,
    pub(super) components: u64,
    pub(super) advisories: u64,
    pub(super) first_run: FirstRun,
    pub(super) delta: DeltaReport,
    pub(super) second_run: SecondRun,
    pub(super) event: EventReport,
    pub(super) timings_ms: Timings,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FirstRun {
    pub(super) run_id: Uuid,
    pub(super) segments: u64,
    pub(super) findings: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeltaReport {
    pub(super) advisories_changed: u64,
    pub(super) images_impacted: u64,
    pub(super) images_total: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SecondRun {
    pub(super) run_id: Uuid,
    pub(super) segments: u64,
    pub(super) attempts: u64,
    pub(super) leases_expired: u64,
    pub(super) new_findings: u64,
    pub(super) fixed_findings: u64,
    pub(super) critical: u64,
    pub(super) high: u64,
    pub(super) kev: u64,
}

impl SecondRun {
    pub(super) fn new(run: &ImpactRun, counts: &Run, delta: Delta) -> Self {
        Self {
            run_id: run.run_id,
            segments: run.segments,
            attempts: counts.attempts,
            leases_expired: counts.leases_expired,
            new_findings: delta.new,
            fixed_findings: delta.fixed,
            critical: delta.critical,
            high: delta.high,
            kev: delta.kev,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventReport {
    pub(super) payload_type: String,
    pub(super) key_id: String,
    pub(super) verified: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Timings {
    pub(super) start: u64,
    pub(super) intake: u64,
    pub(super) first_run: u64,
    pub(super) delta: u64,
    pub(super) second_run: u64,
    pub(super) event: u64,
    pub(super) total: u64,
}
