//! `GET /projects/{projectId}`

use axum::Json;
use axum::extract::State;
use axum::http::header::ETAG;
use axum::response::{IntoResponse, Response};
use jobengine_domain::id::ProjectId;

use super::view::Project;
use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;
use crate::v1::version::etag;

/// Read a project
#[utoipa::path(
    get, path = "/projects/{projectId}", operation_id = "project_get", tag = "projects",
    extensions(("x-scope" = json!("orch:read"))),
    params(("projectId" = uuid::Uuid, Path, description = "The project's id")),
    responses(
        (status = 200, description = "The project; its version stands in `ETag`", body = Project),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such project of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(id): PathParams<ProjectId>,
) -> Result<Response, Problem> {
    let tx = state.store().read(&caller).await?;
    let record = tx.project_find(id).await?;
    tx.commit().await?;
    let record = record.ok_or_else(|| Problem::not_found("project"))?;
    let tag = [(ETAG, etag(record.version))];
    Ok((tag, Json(Project::of(record))).into_response())
}
