//! `DELETE /projects/{projectId}`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::id::ProjectId;
use jobengine_store::StoreError;

use super::view::Project;
use crate::act::{Act, Done, Failure};
use crate::params::PathParams;
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// Delete a project
///
/// One that no job and no run belongs to. Tokens and keys that are bound to it are refused within 5 seconds, and the event
/// streams that they opened end within 30.
#[utoipa::path(
    delete, path = "/projects/{projectId}", operation_id = "project_delete", tag = "projects",
    extensions(("x-scope" = json!("orch:admin")), ("x-effect" = json!("audited"))),
    params(("projectId" = uuid::Uuid, Path, description = "The project's id")),
    responses(
        (status = 204, description = "The project is gone"),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such project of this tenant (NOT_FOUND)"),
        (status = 409, description = "Jobs or runs belong to it (PROJECT_IN_USE)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    PathParams(id): PathParams<ProjectId>,
) -> Result<Response, Problem> {
    let deleted = act.perform(&state, async |tx| {
        let Some(standing) = tx.project_find(id).await? else {
            return Err(Problem::not_found("project").into());
        };
        match tx.project_delete(id, standing.version).await {
            Ok(()) => {}
            Err(StoreError::Stale(_)) => {
                let detail = "jobs or runs belong to the project";
                return Err(Problem::new(Code::ProjectInUse, detail).into());
            }
            Err(error) => return Err(Failure::from(error)),
        }
        let before = Project::of(standing).digest();
        Ok(Done::no_content().of("project", id).before(before))
    });
    let response = deleted.await?;
    state.identity().project_removed(act.caller().tenant, id);
    Ok(response)
}
