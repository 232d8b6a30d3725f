//! `GET /bulk-actions`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::BulkId;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::BulkAction;
use crate::identity::Caller;
use crate::page::PageQuery;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::state::AppState;

/// The list and its order, as its tokens name it.
const BY: &str = "bulk_id desc";

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
    params(PageQuery),
    responses(
        (status = 200, description = "A page of bulk actions", body = BulkActionPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<PageQuery>,
) -> Result<Json<BulkActionPage>, Problem> {
    let page = query.of::<BulkId>(caller.pages(), BY)?;
    let tx = state.store().read(&caller).await?;
    let records = tx.bulk_list(page.after, page.limit).await?;
    tx.commit().await?;
    let continuation_token = page.next(&records, |last| last.id);
    Ok(Json(BulkActionPage {
        items: records.into_iter().map(BulkAction::of).collect(),
        continuation_token,
    }))
}
