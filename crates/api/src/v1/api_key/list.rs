//! `GET /api-keys`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::ApiKeyId;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::ApiKeyView;
use crate::identity::Caller;
use crate::page::PageQuery;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::state::AppState;

/// The list and its order, as its tokens name it.
const BY: &str = "key_id";

/// A page of API keys
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiKeyPage {
    /// The keys, oldest first.
    items: Vec<ApiKeyView>,
    /// Where the next page starts; null on the last one.
    continuation_token: Option<String>,
}

/// List API keys
///
/// Oldest first, those that have ended included. Secrets are not kept and not shown.
#[utoipa::path(
    get, path = "/api-keys", operation_id = "api_key_list", tag = "keys",
    extensions(("x-scope" = json!("orch:admin"))),
    params(PageQuery),
    responses(
        (status = 200, description = "A page of API keys", body = ApiKeyPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<PageQuery>,
) -> Result<Json<ApiKeyPage>, Problem> {
    let page = query.of::<ApiKeyId>(caller.pages(), BY)?;
    let tx = state.store().read(&caller).await?;
    let records = tx.api_keys_page(page.after, page.limit).await?;
    tx.commit().await?;
    Ok(Json(ApiKeyPage {
        continuation_token: page.next(&records, |last| last.id),
        items: records.into_iter().map(ApiKeyView::from).collect(),
    }))
}
