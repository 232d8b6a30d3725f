//! `GET /webhooks`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::WebhookId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::view::WebhookView;
use crate::identity::Caller;
use crate::page::page_limit;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::state::AppState;

/// The list and its order, as its tokens name it.
const BY: &str = "webhook_id";

/// How many webhooks, from where on
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Items on the page, 1 to 500; 100 unless said otherwise.
    limit: Option<u32>,
    /// Where the page before ended.
    continuation_token: Option<String>,
}

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
    params(Query),
    responses(
        (status = 200, description = "A page of webhooks", body = WebhookPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<Query>,
) -> Result<Json<WebhookPage>, Problem> {
    let limit = page_limit(query.limit)?;
    let pages = caller.pages();
    let after = pages.resume::<WebhookId>(BY, query.continuation_token.as_deref())?;
    let tx = state.store().read(&caller).await?;
    let webhooks = tx.webhook_list(after, limit).await?;
    tx.commit().await?;
    Ok(Json(WebhookPage {
        continuation_token: pages.after_page(BY, &webhooks, limit, |last| last.id),
        items: webhooks.into_iter().map(WebhookView::from).collect(),
    }))
}
