//! `GET /audit/checkpoints`

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::view::CheckpointView;
use crate::identity::Caller;
use crate::page::page_limit;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::state::AppState;

/// The list and its order, as its tokens name it.
const BY: &str = "audit_checkpoint first";

/// How many checkpoints, from where on
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Items on the page, 1 to 500; 100 unless said otherwise.
    limit: Option<u32>,
    /// Where the page before ended; from the first checkpoint on unless said otherwise.
    continuation_token: Option<String>,
}

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
    params(Query),
    responses(
        (status = 200, description = "A page of checkpoints", body = CheckpointPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<Query>,
) -> Result<Json<CheckpointPage>, Problem> {
    caller.require_whole_tenant()?;
    let limit = page_limit(query.limit)?;
    let after = caller
        .pages()
        .resume::<u64>(BY, query.continuation_token.as_deref())?;
    let tx = state.store().read(&caller).await?;
    let checkpoints = tx.audit_checkpoints(after.unwrap_or(0), limit).await?;
    tx.commit().await?;
    Ok(Json(CheckpointPage {
        continuation_token: caller
            .pages()
            .after_page(BY, &checkpoints, limit, |last| last.first),
        items: checkpoints.into_iter().map(CheckpointView::from).collect(),
    }))
}
