//! `POST /runs/{runId}:cancel`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::RunId;
use jobengine_queue::Hint;

use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;
use crate::v1::canceled::Canceled;

/// Cancel a run
///
/// Calls off every job of it that has not ended. Workers that hold one are told at their next
/// heartbeat, and their reports are refused.
#[utoipa::path(
    post, path = "/runs/{runId}:cancel", operation_id = "run_cancel", tag = "runs",
    extensions(("x-scope" = json!("orch:operate"))),
    params(("runId" = uuid::Uuid, Path, description = "The run's id")),
    responses(
        (status = 200, description = "How many jobs were called off", body = Canceled),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such run of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(id): PathParams<RunId>,
) -> Result<Json<Canceled>, Problem> {
    let (canceled, ready) = state
        .store()
        .retrying(async || {
            let tx = state.store().begin(&caller).await?;
            if tx.run_find(id).await?.is_none() {
                tx.commit().await?;
                return Ok((None, Vec::new()));
            }
            let canceled = tx.run_cancel(id).await?;
            let ready = tx.ready();
            tx.commit().await?;
            Ok((Some(canceled), ready))
        })
        .await?;
    state.announce(&Hint::jobs(caller.tenant, ready));
    let canceled = canceled.ok_or_else(|| Problem::not_found("run"))?;
    Ok(Json(Canceled { canceled }))
}
