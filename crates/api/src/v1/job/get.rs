//! `GET /jobs/{jobId}`

use axum::Json;
use axum::extract::State;
use jobengine_domain::caller::Scope;
use jobengine_domain::id::JobId;

use super::view::JobView;
use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// Read a job
///
/// With its attempts; payload and result need `orch:payload` as well.
#[utoipa::path(
    get, path = "/jobs/{jobId}", operation_id = "job_get", tag = "jobs",
    extensions(("x-scope" = json!("orch:read"))),
    params(("jobId" = uuid::Uuid, Path, description = "The job's id")),
    responses(
        (status = 200, description = "The job", body = JobView),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such job of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(id): PathParams<JobId>,
) -> Result<Json<JobView>, Problem> {
    let tx = state.store().read(&caller).await?;
    let of_this = [id];
    // Sent one behind the other, in one round trip.
    let (job, attempts, under_way) = tokio::try_join!(
        tx.job_find(id),
        tx.job_attempts(&of_this),
        tx.job_under_way(id)
    )?;
    tx.commit().await?;
    let job = job.ok_or_else(|| Problem::not_found("job"))?;
    Ok(Json(JobView::whole(
        job,
        attempts,
        under_way,
        caller.has(Scope::Payload),
    )))
}
