//! `POST /jobs/{jobId}:cancel`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::id::JobId;

use crate::act::{Act, Done};
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;
use crate::v1::canceled::Canceled;

/// Cancel a job
///
/// Calls it off unless it has ended. A worker that holds it is told at its next heartbeat, and its
/// report is refused.
#[utoipa::path(
    post, path = "/jobs/{jobId}:cancel", operation_id = "job_cancel", tag = "jobs",
    extensions(("x-scope" = json!("orch:operate")), ("x-effect" = json!("audited"))),
    params(("jobId" = uuid::Uuid, Path, description = "The job's id")),
    responses(
        (status = 200, description = "How many jobs were called off: 0 when it had ended", body = Canceled),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such job of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    PathParams(id): PathParams<JobId>,
) -> Result<Response, Problem> {
    act.perform(&state, async |tx| {
        if tx.job_find(id).await?.is_none() {
            return Err(Problem::not_found("job").into());
        }
        let canceled = tx.jobs_cancel(&[id]).await?;
        Ok(Done::ok(Canceled { canceled }).of("job", id))
    })
    .await
}
