//! `GET /webhooks/{webhookId}`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::WebhookId;

use super::view::WebhookView;
use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// Read a webhook
#[utoipa::path(
    get, path = "/webhooks/{webhookId}", operation_id = "webhook_get", tag = "webhooks",
    extensions(("x-scope" = json!("orch:webhook"))),
    params(("webhookId" = uuid::Uuid, Path, description = "The webhook's id")),
    responses(
        (status = 200, description = "The webhook", body = WebhookView),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such webhook of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(id): PathParams<WebhookId>,
) -> Result<Json<WebhookView>, Problem> {
    let tx = state.store().read(&caller).await?;
    let webhook = tx.webhook_find(id).await?;
    tx.commit().await?;
    let webhook = webhook.ok_or_else(|| Problem::not_found("webhook"))?;
    Ok(Json(webhook.into()))
}
