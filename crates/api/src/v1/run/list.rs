//! `GET /runs`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::RunId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::view::RunView;
use crate::identity::Caller;
use crate::page::page_limit;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::state::AppState;

/// The list and its order, as its tokens name it.
const BY: &str = "run_id desc";

/// How many runs
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Items on the page, 1 to 500; 100 unless said otherwise.
    limit: Option<u32>,
    /// Where the page before ended.
    continuation_token: Option<String>,
}

/// A page of runs
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunPage {
    /// The runs, newest first.
    items: Vec<RunView>,
    /// Where the next page starts; null on the last one.
    continuation_token: Option<String>,
}

/// List runs
///
/// Newest first.
#[utoipa::path(
    get, path = "/runs", operation_id = "run_list", tag = "runs",
    extensions(("x-scope" = json!("orch:read"))),
    params(Query),
    responses(
        (status = 200, description = "A page of runs", body = RunPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<Query>,
) -> Result<Json<RunPage>, Problem> {
    let limit = page_limit(query.limit)?;
    let before = caller
        .pages()
        .resume::<RunId>(BY, query.continuation_token.as_deref())?;
    let tx = state.store().read(&caller).await?;
    let runs = tx.run_list(before, limit).await?;
    tx.commit().await?;
    Ok(Json(RunPage {
        continuation_token: caller.pages().after_page(BY, &runs, limit, |last| last.id),
        items: runs.into_iter().map(RunView::from).collect(),
    }))
}
