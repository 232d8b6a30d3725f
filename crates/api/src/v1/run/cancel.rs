//! `POST /runs/{runId}:cancel`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::id::RunId;

use crate::act::{Act, Done};
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
    extensions(("x-scope" = json!("orch:operate")), ("x-effect" = json!("audited"))),
    params(("runId" = uuid::Uuid, Path, description = "The run's id")),
    responses(
        (status = 200, description = "How many jobs were called off", body = Canceled),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such run of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    PathParams(id): PathParams<RunId>,
) -> Result<Response, Problem> {
    act.perform(&state, async |tx| {
        if tx.run_find(id).await?.is_none() {
            return Err(Problem::not_found("run").into());
        }
        let canceled = tx.run_cancel(id).await?;
        Ok(Done::ok(Canceled { canceled }).of("run", id))
    })
    .await
}
