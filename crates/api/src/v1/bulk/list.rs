//! `GET /bulk-actions`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::BulkId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::view::BulkAction;
use crate::identity::Caller;
use crate::page::page_limit;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::state::AppState;

/// The list and its order, as its tokens name it.
const BY: &str = "bulk_id desc";

/// How many bulk actions
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Items on the page, 1 to 500; 100 unless said otherwise.
    limit: Option<u32>,
    /// Where the page before ended.
    continuation_token: Option<String>,
}

/// A page of bulk actions
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BulkActionPage {
    /// The bulk actions, youngest first.
    items: Vec<BulkAction>,
    /// Where the next page starts; null on the last one.
    continuation_token: Option<String>,
}

/// List bulk actions
#[utoipa::path(
    get, path = "/bulk-actions", operation_id = "bulk_action_list", tag = "bulk",
    extensions(("x-scope" = json!("orch:read"))),
    params(Query),
    responses(
        (status = 200, description = "A page of bulk actions", body = BulkActionPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<Query>,
) -> Result<Json<BulkActionPage>, Problem> {
    let limit = page_limit(query.limit)?;
    let pages = caller.pages();
    let behind: Option<BulkId> = pages.resume(BY, query.continuation_token.as_deref())?;
    let tx = state.store().read(&caller).await?;
    let records = tx.bulk_list(behind, limit).await?;
    tx.commit().await?;
    let continuation_token = pages.after_page(BY, &records, limit, |last| last.id);
    Ok(Json(BulkActionPage {
        items: records.into_iter().map(BulkAction::of).collect(),
        continuation_token,
    }))
}
