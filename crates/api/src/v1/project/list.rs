//! `GET /projects`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::ProjectId;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::Project;
use crate::identity::Caller;
use crate::page::PageQuery;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::state::AppState;

/// The list and its order, as its tokens name it.
const BY: &str = "project_id";

/// A page of projects
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProjectPage {
    /// The projects, oldest first.
    items: Vec<Project>,
    /// Where the next page starts; null on the last one.
    continuation_token: Option<String>,
}

/// List projects
///
/// A token that is bound to a project sees that one.
#[utoipa::path(
    get, path = "/projects", operation_id = "project_list", tag = "projects",
    extensions(("x-scope" = json!("orch:read"))),
    params(PageQuery),
    responses(
        (status = 200, description = "A page of projects", body = ProjectPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<PageQuery>,
) -> Result<Json<ProjectPage>, Problem> {
    let page = query.of::<ProjectId>(caller.pages(), BY)?;
    let tx = state.store().read(&caller).await?;
    let records = tx.project_list(page.after, page.limit).await?;
    tx.commit().await?;
    let continuation_token = page.next(&records, |last| last.id);
    Ok(Json(ProjectPage {
        items: records.into_iter().map(Project::of).collect(),
        continuation_token,
    }))
}
