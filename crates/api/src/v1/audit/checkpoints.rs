//! `GET /audit/checkpoints`

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::CheckpointView;
use crate::identity::Caller;
use crate::page::PageQuery;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::state::AppState;

/// The list and its order, as its tokens name it.
const BY: &str = "audit_checkpoint first";

/// A page of checkpoints
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CheckpointPage {
    /// The checkpoints, in order.
    items: Vec<CheckpointView>,
    /// Where the next page starts; null on the last one.
    continuation_token: Option<String>,
}

/// List checkpoints
///
/// In order. Whoever keeps them where the service cannot reach can prove later that history was not rolled back.
#[utoipa::path(
    get, path = "/audit/checkpoints", operation_id = "audit_checkpoints", tag = "audit",
    extensions(("x-scope" = json!("orch:audit"))),
    params(PageQuery),
    responses(
        (status = 200, description = "A page of checkpoints", body = CheckpointPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<PageQuery>,
) -> Result<Json<CheckpointPage>, Problem> {
    caller.require_whole_tenant()?;
    let page = query.of::<u64>(caller.pages(), BY)?;
    let tx = state.store().read(&caller).await?;
    let checkpoints = tx
        .audit_checkpoints(page.after.unwrap_or(0), page.limit)
        .await?;
    tx.commit().await?;
    Ok(Json(CheckpointPage {
        continuation_token: page.next(&checkpoints, |last| last.first),
        items: checkpoints.into_iter().map(CheckpointView::from).collect(),
    }))
}
