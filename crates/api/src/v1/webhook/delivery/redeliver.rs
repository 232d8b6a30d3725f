//! `POST /webhooks/{webhookId}/deliveries/{deliveryId}:redeliver`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::id::{DeliveryId, WebhookId};
use jobengine_store::DeliveryState;

use super::DeliveryView;
use crate::act::{Act, Done};
use crate::params::PathParams;
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// Send a delivery again
///
/// With the same id and body, and with all its tries. A receiver that remembers ids may forget the repeat.
#[utoipa::path(
    post, path = "/webhooks/{webhookId}/deliveries/{deliveryId}:redeliver", operation_id = "webhook_redeliver", tag = "webhooks",
    extensions(("x-scope" = json!("orch:webhook")), ("x-effect" = json!("audited"))),
    params(
        ("webhookId" = uuid::Uuid, Path, description = "The webhook's id"),
        ("deliveryId" = uuid::Uuid, Path, description = "The delivery's id"),
    ),
    responses(
        (status = 202, description = "The delivery, on its way again", body = DeliveryView),
        (status = 400, description = "An id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such webhook of this tenant, or no such delivery (NOT_FOUND)"),
        (status = 409, description = "It waits for its next attempt anyway (DELIVERY_PENDING)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    PathParams((webhook, id)): PathParams<(WebhookId, DeliveryId)>,
) -> Result<Response, Problem> {
    act.perform(&state, async |tx| {
        let missing = || Problem::not_found("delivery");
        // A delivery is seen by whoever sees its webhook.
        tx.webhook_find(webhook).await?.ok_or_else(missing)?;
        let delivery = tx.delivery_find(webhook, id).await?.ok_or_else(missing)?;
        if delivery.state == DeliveryState::Pending {
            let detail = "it waits for its next attempt anyway";
            return Err(Problem::new(Code::DeliveryPending, detail).into());
        }
        tx.delivery_redeliver(webhook, id).await?;
        let delivery = tx.delivery_find(webhook, id).await?.ok_or_else(missing)?;
        Ok(Done::accepted(DeliveryView::from(delivery)).of("delivery", id))
    })
    .await
}
