//! `GET /runs/{runId}`: one impact run.

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::RunId;
use utoipa_axum::routes;

use super::ImpactRun;
use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::route::Routes;
use crate::state::AppState;

pub(super) fn routes() -> Routes {
    Routes::new().add(routes!(impact_run_get))
}

/// Read an impact run
#[utoipa::path(
    get, path = "/runs/{runId}", operation_id = "impact_run_get", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.read"))),
    params(("runId" = String, Path, format = Uuid, description = "The run")),
    responses(
        (status = 200, description = "The run", body = ImpactRun),
        (status = 400, description = "Not the id of a run (PARAMETER_INVALID)"),
        (status = 404, description = "The tenant has no such impact run (NOT_FOUND)"),
    )
)]
async fn impact_run_get(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(run): PathParams<RunId>,
) -> Result<Json<ImpactRun>, Problem> {
    let tx = state.store().read(&caller).await?;
    let record = tx.impact_run_find(run).await?;
    tx.commit().await?;
    let record = record.ok_or_else(|| Problem::not_found("impact run"))?;
    Ok(Json(record.into()))
}
