//! `DELETE /webhooks/{webhookId}`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::id::WebhookId;

use super::view::WebhookView;
use crate::act::{Act, Done};
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// Remove a webhook
///
/// Nothing is sent to it any more, also of what waits. Its secret is gone.
#[utoipa::path(
    delete, path = "/webhooks/{webhookId}", operation_id = "webhook_remove", tag = "webhooks",
    extensions(("x-scope" = json!("orch:webhook")), ("x-effect" = json!("audited"))),
    params(("webhookId" = uuid::Uuid, Path, description = "The webhook's id")),
    responses(
        (status = 204, description = "It is gone"),
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
        tx.webhook_remove(id).await?;
        Ok(Done::no_content().of("webhook", id).before(before))
    })
    .await
}
