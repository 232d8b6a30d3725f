//! `POST /projects`

use axum::extract::State;
use axum::http::header::ETAG;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::{Project, check};
use crate::act::{Act, Done};
use crate::json::{JSON_MAX_BYTES, JsonBody};
use crate::problem::{Code, Problem};
use crate::state::AppState;
use crate::v1::version::etag;

/// A new project
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateProject {
    /// What people call it.
    #[schema(min_length = 1, max_length = 200, example = "payments")]
    name: String,
    /// For people.
    #[serde(default)]
    #[schema(max_length = 2000)]
    description: String,
}

/// Create a project
#[utoipa::path(
    post, path = "/projects", operation_id = "project_create", tag = "projects",
    extensions(("x-scope" = json!("orch:admin")), ("x-effect" = json!("audited"))),
    request_body = CreateProject,
    responses(
        (status = 201, description = "The project is there; its version stands in `ETag`", body = Project),
        (status = 400, description = "The body is not JSON as we take it (JSON_MALFORMED)"),
        (status = 409, description = "Another project has this name (NAME_TAKEN)"),
        (status = 413, description = "More than 256 KiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Not application/json (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "A field is not valid (REQUEST_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    JsonBody(request): JsonBody<CreateProject, JSON_MAX_BYTES>,
) -> Result<Response, Problem> {
    check(Some(&request.name), Some(&request.description))?;
    if act.caller().project.is_some() {
        let detail = "a token that is bound to a project makes no other one";
        return Err(Problem::new(Code::ScopeMissing, detail));
    }
    act.perform(&state, async |tx| {
        let made = tx.project_create(&request.name, &request.description);
        let Some(record) = made.await? else {
            return Err(taken(&request.name).into());
        };
        let (id, tag) = (record.id, etag(record.version));
        let done = Done::created(Project::of(record)).of("project", id);
        Ok(done.header(ETAG, &tag))
    })
    .await
}

/// Another project has the name.
pub(super) fn taken(name: &str) -> Problem {
    Problem::new(Code::NameTaken, format!("there is a project called {name}"))
}
