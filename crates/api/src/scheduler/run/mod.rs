//! Impact runs: what was planned, what it changed, and the proof of it.

mod completion;
mod deltas;
mod get;
mod inputs;
mod list;

use jobengine_domain::digest::Digest;
use jobengine_domain::id::RunId;
use jobengine_domain::time::Timestamp;
use jobengine_impact::summary::DeltaSummary;
use jobengine_store::ImpactRunRecord;
use serde::Serialize;
use utoipa::ToSchema;

use crate::route::Routes;

pub(super) fn routes() -> Routes {
    Routes::new()
        .merge(list::routes())
        .merge(get::routes())
        .merge(deltas::routes())
        .merge(completion::routes())
        .merge(inputs::routes())
}

/// A run that evaluates images.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ImpactRun {
    /// Its id, also that of the run whose jobs evaluate it.
    #[schema(value_type = String, format = Uuid)]
    run_id: RunId,
    /// Its number among the tenant's impact runs: findings are replaced in this order.
    generation: u64,
    /// `analysisOnly`: images are evaluated from their stored SBOMs.
    mode: String,
    /// `running`, or `completed` once its findings have taken effect.
    state: &'static str,
    /// Digest of its plan: the same inputs give the same plan.
    #[schema(value_type = String)]
    plan_digest: Digest,
    /// Digest of the canonical JSON list of its inputs, as `/inputs` gives them.
    #[schema(value_type = String)]
    inputs_digest: Digest,
    /// Slices, each a job.
    segments: u32,
    /// Images that it evaluates.
    images_impacted: u64,
    /// Images in the fleet when it was planned.
    images_total: u64,
    /// Flaws whose effect changed.
    advisories_changed: u64,
    /// `low`, `normal`, `high` or `emergency`.
    priority: String,
    /// What it changed, once it has completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<FindingsDelta>,
    /// How its jobs ended, once it has completed: `succeeded`, `partial`, `failed` or `canceled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<String>,
    /// Images that it left out, once it has completed: their segment failed, was canceled or ran out of time, or its
    /// result cannot be used. Not told of runs that completed before this was counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    images_not_evaluated: Option<u64>,
    /// Images that it left out first or last, and that no later run has evaluated yet: `/debts` lists them.
    images_owed: u64,
    /// When it was planned.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When its findings took effect.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<Timestamp>,
}

/// How the findings differ from before, counted in (image, component, flaw).
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FindingsDelta {
    /// There now and not before.
    new: u64,
    /// There before and not now.
    fixed: u64,
    /// Critical now and not so before.
    critical: u64,
    /// High now and not so before.
    high: u64,
    /// Known to be exploited now and not so before.
    kev: u64,
}

impl From<DeltaSummary> for FindingsDelta {
    fn from(delta: DeltaSummary) -> Self {
        let DeltaSummary {
            new,
            fixed,
            critical,
            high,
            kev,
        } = delta;
        Self {
            new,
            fixed,
            critical,
            high,
            kev,
        }
    }
}

impl From<ImpactRunRecord> for ImpactRun {
    fn from(run: ImpactRunRecord) -> Self {
        Self {
            run_id: run.id,
            generation: run.generation,
            mode: run.mode,
            state: if run.completed_at.is_some() {
                "completed"
            } else {
                "running"
            },
            plan_digest: run.plan,
            inputs_digest: run.inputs,
            segments: run.segments,
            images_impacted: run.images_impacted,
            images_total: run.images_total,
            advisories_changed: run.advisories_changed,
            priority: run.priority,
            delta: run.delta.map(Into::into),
            result: run.result,
            images_not_evaluated: run.images_not_evaluated,
            images_owed: run.images_owed,
            created_at: run.created_at,
            completed_at: run.completed_at,
        }
    }
}
