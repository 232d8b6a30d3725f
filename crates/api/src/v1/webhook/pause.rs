//! `POST /webhooks/{webhookId}:pause`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::id::WebhookId;
use jobengine_store::PauseReason;

use super::view::WebhookView;
use crate::act::{Act, Done};
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// Pause a webhook
///
/// Nothing is sent until it is resumed. It keeps its place among the events; what waits keeps waiting. One that
/// is paused already stays as it is.
#[utoipa::path(
    post, path = "/webhooks/{webhookId}:pause", operation_id = "webhook_pause", tag = "webhooks",
    extensions(("x-scope" = json!("orch:webhook")), ("x-effect" = json!("audited"))),
    params(("webhookId" = uuid::Uuid, Path, description = "The webhook's id")),
    responses(
        (status = 200, description = "The webhook as it is now", body = WebhookView),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such webhook of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    PathParams(id): PathParams<WebhookId>,
) -> Result<Response, Problem> {
    act.perform(&state, async |tx| {
        let before = WebhookView::from(tx.webhook_lock(id).await?).digest();
        tx.webhook_pause(id, PauseReason::Operator).await?;
        let webhook = WebhookView::from(tx.webhook_lock(id).await?);
        Ok(Done::ok(webhook).of("webhook", id).before(before))
    })
    .await
}
