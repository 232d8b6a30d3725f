//! `GET /projects`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::ProjectId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::view::Project;
use crate::identity::Caller;
use crate::page::page_limit;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::state::AppState;

/// The list and its order, as its tokens name it.
const BY: &str = "project_id";

/// How many projects
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Items on the page, 1 to 500; 100 unless said otherwise.
    limit: Option<u32>,
    /// Where the page before ended.
    continuation_token: Option<String>,
}

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
    params(Query),
    responses(
        (status = 200, description = "A page of projects", body = ProjectPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<Query>,
) -> Result<Json<ProjectPage>, Problem> {
    let limit = page_limit(query.limit)?;
    let pages = caller.pages();
    let after: Option<ProjectId> = pages.resume(BY, query.continuation_token.as_deref())?;
    let tx = state.store().read(&caller).await?;
    let records = tx.project_list(after, limit).await?;
    tx.commit().await?;
    let continuation_token = pages.after_page(BY, &records, limit, |last| last.id);
    Ok(Json(ProjectPage {
        items: records.into_iter().map(Project::of).collect(),
        continuation_token,
    }))
}
