//! `GET /dead-letters/{jobId}`

use axum::Json;
use axum::extract::State;
use jobengine_domain::caller::Scope;
use jobengine_domain::id::JobId;

use super::view::DeadLetter;
use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// Read a dead letter
#[utoipa::path(
    get, path = "/dead-letters/{jobId}", operation_id = "dead_letter_get", tag = "dead letters",
    extensions(("x-scope" = json!("orch:read"))),
    params(("jobId" = uuid::Uuid, Path, description = "The id of the job that failed")),
    responses(
        (status = 200, description = "The dead letter", body = DeadLetter),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No dead letter of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(id): PathParams<JobId>,
) -> Result<Json<DeadLetter>, Problem> {
    let tx = state.store().read(&caller).await?;
    let letter = tx.dead_letter_find(id).await?;
    tx.commit().await?;
    let letter = letter.ok_or_else(|| Problem::not_found("dead letter"))?;
    Ok(Json(DeadLetter::of(letter, caller.has(Scope::Payload))))
}
