//! `GET /jobs/summary`: how many jobs are in which state; former, because it counts all of them.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::identity::Caller;
use crate::problem::Problem;
use crate::state::AppState;

/// How many jobs are in which state
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobSummary {
    /// Jobs by state. Of each state 100,000 are counted at most.
    states: BTreeMap<String, u64>,
    /// Whether some state has more jobs than were counted.
    capped: bool,
}

/// Count jobs by state (former)
///
/// Counts up to 100,000 of each state. Use `GET /jobs` with `state`, or the metrics of the service.
#[utoipa::path(
    get, path = "/jobs/summary", operation_id = "job_summary", tag = "jobs",
    extensions(
        ("x-scope" = json!("orch:read")),
        ("x-deprecated" = json!({
            "since": 1_796_083_200, "sunset": "Wed, 30 Jun 2027 00:00:00 GMT",
            "successor": "/api/v1/orchestrator/jobs",
        })),
    ),
    responses((status = 200, description = "How many jobs are in which state", body = JobSummary))
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Json<JobSummary>, Problem> {
    caller.require_whole_tenant()?;
    let tx = state.store().read(&caller).await?;
    let counts = tx.job_counts().await?;
    tx.commit().await?;
    Ok(Json(JobSummary {
        capped: counts
            .values()
            .any(|count| *count >= jobengine_store::JOBS_COUNTED_MAX),
        states: counts,
    }))
}
