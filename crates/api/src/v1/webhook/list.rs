//! `GET /webhooks`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::WebhookId;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::WebhookView;
use crate::identity::Caller;
use crate::page::PageQuery;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::state::AppState;

/// The list and its order, as its tokens name it.
const BY: &str = "webhook_id";

/// A page of webhooks
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct WebhookPage {
    /// The webhooks, oldest first.
    items: Vec<WebhookView>,
    /// Where the next page starts; null on the last one.
    continuation_token: Option<String>,
}

/// List webhooks
#[utoipa::path(
    get, path = "/webhooks", operation_id = "webhook_list", tag = "webhooks",
    extensions(("x-scope" = json!("orch:webhook"))),
    params(PageQuery),
    responses(
        (status = 200, description = "A page of webhooks", body = WebhookPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<PageQuery>,
) -> Result<Json<WebhookPage>, Problem> {
    let page = query.of::<WebhookId>(caller.pages(), BY)?;
    let tx = state.store().read(&caller).await?;
    let webhooks = tx.webhook_list(page.after, page.limit).await?;
    tx.commit().await?;
    Ok(Json(WebhookPage {
        continuation_token: page.next(&webhooks, |last| last.id),
        items: webhooks.into_iter().map(WebhookView::from).collect(),
    }))
}
