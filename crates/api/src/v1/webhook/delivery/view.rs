//! A delivery as it is shown: nothing of what the receiver answered but its status.

use jobengine_domain::event::urn;
use jobengine_store::DeliveryRecord;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// An event on its way to a webhook
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Delivery)]
pub(in crate::v1::webhook) struct DeliveryView {
    /// Its id: what the receiver sees as `webhook-id`, the same at every attempt.
    delivery_id: Uuid,
    /// The webhook it goes to.
    webhook_id: Uuid,
    /// The event, as a URN; left out for a test.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "urn:orch:event:0190f1de-0000-7000-8000-000000000001")]
    event_id: Option<String>,
    /// The event's type.
    #[schema(example = "job.failed")]
    event_type: String,
    /// What the body is.
    #[schema(example = "application/json")]
    media_type: String,
    /// Bytes of the body.
    bytes: u32,
    /// `pending`, `delivered` or `failed`.
    #[schema(example = "delivered")]
    state: &'static str,
    /// Attempts so far.
    attempts: u32,
    /// When it is due, while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    next_at: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When the last attempt ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    attempted_at: Option<String>,
    /// When it arrived, or was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    /// The HTTP status that the last attempt was answered with.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// Why the last attempt was not answered, in a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "TIMED_OUT")]
    error: Option<String>,
}

impl From<DeliveryRecord> for DeliveryView {
    fn from(delivery: DeliveryRecord) -> Self {
        Self {
            delivery_id: delivery.id.0,
            webhook_id: delivery.webhook.0,
            event_id: delivery.event.map(urn),
            event_type: delivery.event_type,
            media_type: delivery.media_type,
            bytes: delivery.bytes,
            state: delivery.state.as_str(),
            attempts: delivery.attempts,
            next_at: delivery.next_at.map(|at| at.to_string()),
            created_at: delivery.created_at.to_string(),
            attempted_at: delivery.attempted_at.map(|at| at.to_string()),
            ended_at: delivery.ended_at.map(|at| at.to_string()),
            status: delivery.status,
            error: delivery.error,
        }
    }
}
