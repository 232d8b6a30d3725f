//! A run as it is shown.

use jobengine_store::RunRecord;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A run as it stands in the ledger
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Run)]
pub(super) struct RunView {
    /// Its id.
    run_id: Uuid,
    /// What caused it.
    #[schema(example = "manual")]
    trigger: String,
    /// `queued`, `running`, `succeeded`, `partial`, `failed` or `canceled`.
    #[schema(example = "running")]
    state: String,
    /// Follows the run through logs and events.
    correlation_id: String,
    /// The project it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<Uuid>,
    /// The name of the upstream it works for.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// How many of its jobs are in which state.
    counts: RunCounts,
    /// Attempts that have ended.
    attempts: u64,
    /// Attempts that ended because no heartbeat came.
    leases_expired: u64,
    /// When it was created.
    #[schema(format = DateTime)]
    created_at: String,
    /// When its first job was claimed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<String>,
    /// When its last job ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<String>,
}

/// How many jobs of a run are in which state
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RunCounts {
    /// All of them.
    total: u64,
    /// At least so many were leased.
    started: u64,
    /// Succeeded.
    succeeded: u64,
    /// Failed or timed out.
    failed: u64,
    /// Canceled.
    canceled: u64,
    /// Skipped because of a parent.
    skipped: u64,
}

impl From<RunRecord> for RunView {
    fn from(run: RunRecord) -> Self {
        Self {
            run_id: run.id.0,
            trigger: run.trigger,
            state: run.state,
            correlation_id: run.correlation_id,
            project_id: run.project.map(|project| project.0),
            source: run.source,
            counts: RunCounts {
                total: run.counts.total,
                started: run.counts.started,
                succeeded: run.counts.succeeded,
                failed: run.counts.failed,
                canceled: run.counts.canceled,
                skipped: run.counts.skipped,
            },
            attempts: run.attempts,
            leases_expired: run.leases_expired,
            created_at: run.created_at.to_string(),
            started_at: run.started_at.map(|at| at.to_string()),
            finished_at: run.finished_at.map(|at| at.to_string()),
        }
    }
}
