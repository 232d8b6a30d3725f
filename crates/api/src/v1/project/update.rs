//! `PATCH /projects/{projectId}`

use axum::extract::State;
use axum::http::header::ETAG;
use axum::response::Response;
use jobengine_domain::id::ProjectId;
use jobengine_store::StoreError;
use serde::Deserialize;
use utoipa::ToSchema;

use super::create::taken;
use super::view::{Project, check};
use crate::act::{Act, Done};
use crate::json::{JSON_MAX_BYTES, JsonBody};
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;
use crate::v1::version::{IfMatch, etag};

/// What is to be said of a project. What is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateProject {
    /// What people call it.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// For people.
    #[schema(max_length = 2000, example = "What the shop runs on")]
    description: Option<String>,
}

/// Change a project
///
/// For the version named by `If-Match`, and no other.
#[utoipa::path(
    patch, path = "/projects/{projectId}", operation_id = "project_update", tag = "projects",
    extensions(("x-scope" = json!("orch:admin")), ("x-effect" = json!("audited"))),
    params(
        ("projectId" = uuid::Uuid, Path, description = "The project's id"),
        ("If-Match" = String, Header, description = "The `ETag` of the version that is to be changed"),
    ),
    request_body = UpdateProject,
    responses(
        (status = 200, description = "The project as it is now", body = Project),
        (status = 400, description = "The id or the body cannot be read (PARAMETER_INVALID, JSON_MALFORMED)"),
        (status = 404, description = "No such project of this tenant (NOT_FOUND)"),
        (status = 409, description = "Another project has this name (NAME_TAKEN)"),
        (status = 412, description = "Another version stands (PRECONDITION_FAILED)"),
        (status = 413, description = "More than 256 KiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Not application/json (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "A field is not valid (REQUEST_INVALID)"),
        (status = 428, description = "If-Match is missing (PRECONDITION_REQUIRED)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    PathParams(id): PathParams<ProjectId>,
    meant: IfMatch,
    JsonBody(request): JsonBody<UpdateProject, JSON_MAX_BYTES>,
) -> Result<Response, Problem> {
    check(request.name.as_deref(), request.description.as_deref())?;
    act.perform(&state, async |tx| {
        let Some(standing) = tx.project_find(id).await? else {
            return Err(Problem::not_found("project").into());
        };
        let version = meant.check(standing.version)?;
        let name = request.name.as_ref().unwrap_or(&standing.name);
        let description = request
            .description
            .as_ref()
            .unwrap_or(&standing.description);
        if !tx.project_update(id, version, name, description).await? {
            return Err(taken(name).into());
        }
        let record = tx
            .project_find(id)
            .await?
            .ok_or(StoreError::Stale("the project"))?;
        let tag = etag(record.version);
        let before = Project::of(standing).digest();
        let done = Done::ok(Project::of(record))
            .of("project", id)
            .before(before);
        Ok(done.header(ETAG, &tag))
    })
    .await
}
