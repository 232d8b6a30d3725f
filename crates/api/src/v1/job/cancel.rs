//! `POST /jobs/{jobId}:cancel`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::JobId;
use jobengine_queue::Hint;

use crate::identity::Caller;
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
    extensions(("x-scope" = json!("orch:operate"))),
    params(("jobId" = uuid::Uuid, Path, description = "The job's id")),
    responses(
        (status = 200, description = "How many jobs were called off: 0 when it had ended", body = Canceled),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such job of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(id): PathParams<JobId>,
) -> Result<Json<Canceled>, Problem> {
    let (canceled, ready) = state
        .store()
        .retrying(async || {
            let tx = state.store().begin(&caller).await?;
            if tx.job_find(id).await?.is_none() {
                tx.commit().await?;
                return Ok((None, Vec::new()));
            }
            let canceled = tx.jobs_cancel(&[id]).await?;
            let ready = tx.ready();
            tx.commit().await?;
            Ok((Some(canceled), ready))
        })
        .await?;
    state.announce(&Hint::jobs(caller.tenant, ready));
    let canceled = canceled.ok_or_else(|| Problem::not_found("job"))?;
    Ok(Json(Canceled { canceled }))
}
