//! `POST /webhooks/{webhookId}:test`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::caller::Scope;
use jobengine_domain::event::{Actor, Delivery, Event, EventType};
use jobengine_domain::id::WebhookId;
use jobengine_store::{NewDelivery, Tx, draw};

use super::delivery::DeliveryView;
use crate::act::{Act, Done};
use crate::params::PathParams;
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// Send a test delivery
///
/// An event of type `webhook.test`, signed like any other and tried once. It is on its way when this is answered; what became of
/// it stands among the deliveries.
#[utoipa::path(
    post, path = "/webhooks/{webhookId}:test", operation_id = "webhook_test", tag = "webhooks",
    extensions(("x-scope" = json!("orch:webhook")), ("x-effect" = json!("audited"))),
    params(("webhookId" = uuid::Uuid, Path, description = "The webhook's id")),
    responses(
        (status = 202, description = "The delivery, on its way", body = DeliveryView),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such webhook of this tenant (NOT_FOUND)"),
        (status = 409, description = "It is paused: resume it first (WEBHOOK_PAUSED)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    PathParams(id): PathParams<WebhookId>,
) -> Result<Response, Problem> {
    act.perform(&state, async |tx| {
        let webhook = tx.webhook_find(id).await?;
        let webhook = webhook.ok_or_else(|| Problem::not_found("webhook"))?;
        if webhook.paused.is_some() {
            let detail = "nothing is sent to a paused webhook; resume it first";
            return Err(Problem::new(Code::WebhookPaused, detail).into());
        }
        let new = NewDelivery {
            event: None,
            event_type: EventType::WebhookTest.to_string(),
            media_type: "application/json",
            body: body(&tx, &act, id),
        };
        let made = tx.deliveries_create(id, &[new]).await?;
        let delivery = tx.delivery_find(id, made[0]).await?;
        let delivery = delivery.ok_or_else(|| Problem::not_found("delivery"))?;
        let view = DeliveryView::from(delivery);
        Ok(Done::accepted(view).of("delivery", made[0]))
    })
    .await
}

fn body(tx: &Tx, act: &Act, webhook: WebhookId) -> Vec<u8> {
    let event = Event {
        id: draw(tx.now()),
        kind: EventType::WebhookTest,
        occurred_at: tx.now(),
        tenant: tx.tenant(),
        project: act.caller().project,
        correlation_id: Some(act.ids().correlation_id.clone()),
        actor: Some(Actor {
            subject: tx.subject().to_owned(),
            scope: Some(Scope::Webhook.to_string()),
        }),
        run: None,
        job: None,
        attempt: None,
        lease: None,
        session: None,
        reason: Some(webhook.to_string()),
        artifacts: Vec::new(),
        duration_ms: None,
        backoff_ms: None,
    };
    let whole = Delivery::Webhook {
        ordinal: 1,
        total: 1,
    };
    serde_json::to_vec(&event.envelope(whole)).expect("an event is plain JSON")
}
