//! `POST /webhooks/{webhookId}:rotate-secret`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::id::WebhookId;
use jobengine_domain::webhook::{OVERLAP_MAX_S, OVERLAP_S};
use jobengine_store::draw_webhook_secret;
use serde::Deserialize;
use utoipa::ToSchema;

use super::secret::GivenSecret;
use super::view::{WebhookSecretShown, WebhookView};
use crate::act::{Act, Done};
use crate::json::JsonBody;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// A new secret
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RotateSecret {
    /// The secret, if it is not to be drawn here: `whsec_` and 32 to 64 bytes in Base64.
    #[schema(value_type = Option<String>)]
    secret: Option<GivenSecret>,
    /// How long the secret before signs beside the new one; a day unless said otherwise. 0 after a leak.
    #[schema(maximum = 604_800, example = 86_400)]
    overlap_seconds: Option<u32>,
}

/// Rotate the secret of a webhook
///
/// Both secrets sign until the overlap ends; of a rotation before this one nothing stays. The answer is the only
/// one that shows the new secret.
#[utoipa::path(
    post, path = "/webhooks/{webhookId}:rotate-secret", operation_id = "webhook_rotate_secret", tag = "webhooks",
    extensions(("x-scope" = json!("orch:webhook")), ("x-effect" = json!("audited"))),
    params(("webhookId" = uuid::Uuid, Path, description = "The webhook's id")),
    request_body = RotateSecret,
    responses(
        (status = 200, description = "The webhook, with its new secret", body = WebhookSecretShown),
        (status = 400, description = "The id or the body cannot be read (PARAMETER_INVALID, JSON_MALFORMED)"),
        (status = 404, description = "No such webhook of this tenant (NOT_FOUND)"),
        (status = 413, description = "More than 256 KiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Not application/json (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "A field is not valid (REQUEST_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    PathParams(id): PathParams<WebhookId>,
    JsonBody(request): JsonBody<RotateSecret>,
) -> Result<Response, Problem> {
    let overlap_s = request.overlap_seconds.unwrap_or(OVERLAP_S);
    if overlap_s > OVERLAP_MAX_S {
        let detail = format!("at most {OVERLAP_MAX_S} seconds are taken");
        return Err(Problem::field("overlapSeconds", "RANGE", detail));
    }
    let secret = request
        .secret
        .map_or_else(draw_webhook_secret, |GivenSecret(secret)| secret);
    act.perform(&state, async |tx| {
        let before = WebhookView::from(tx.webhook_lock(id).await?).digest();
        let until = tx.now().plus_ms(u64::from(overlap_s) * 1_000);
        let until = (overlap_s > 0).then_some(until);
        tx.webhook_rotate(state.secret(), id, &secret, until)
            .await?;
        let webhook = WebhookView::from(tx.webhook_lock(id).await?);
        let after = webhook.digest();
        let secret = secret.reveal().to_string();
        let done = Done::ok(WebhookSecretShown { webhook, secret });
        Ok(done.of("webhook", id).before(before).after(after))
    })
    .await
}
