//! `GET /runs/{runId}`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::RunId;

use super::view::RunView;
use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// Read a run
///
/// With the counts of its jobs; the jobs themselves are listed by `GET /jobs?runId=…`.
#[utoipa::path(
    get, path = "/runs/{runId}", operation_id = "run_get", tag = "runs",
    extensions(("x-scope" = json!("orch:read"))),
    params(("runId" = uuid::Uuid, Path, description = "The run's id")),
    responses(
        (status = 200, description = "The run", body = RunView),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such run of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(id): PathParams<RunId>,
) -> Result<Json<RunView>, Problem> {
    let tx = state.store().read(&caller).await?;
    let run = tx.run_find(id).await?;
    tx.commit().await?;
    let run = run.ok_or_else(|| Problem::not_found("run"))?;
    Ok(Json(run.into()))
}
