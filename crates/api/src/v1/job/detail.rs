//! `GET /jobs/{jobId}/detail`: the former address of a job.

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::JobId;

use super::view::JobView;
use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// Read a job (former address)
///
/// Answers as `GET /jobs/{jobId}` does, until it goes.
#[utoipa::path(
    get, path = "/jobs/{jobId}/detail", operation_id = "job_detail", tag = "jobs",
    extensions(
        ("x-scope" = json!("orch:read")),
        ("x-deprecated" = json!({
            "since": 1_796_083_200, "sunset": "Wed, 30 Jun 2027 00:00:00 GMT",
            "successor": "/api/v1/orchestrator/jobs/{jobId}",
        })),
    ),
    params(("jobId" = uuid::Uuid, Path, description = "The job's id")),
    responses(
        (status = 200, description = "The job", body = JobView),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such job of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    state: State<AppState>,
    caller: Caller,
    id: PathParams<JobId>,
) -> Result<Json<JobView>, Problem> {
    super::get::handler(state, caller, id).await
}
