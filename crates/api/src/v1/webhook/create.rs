//! `POST /webhooks`

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::id::RunId;
use jobengine_domain::webhook::WEBHOOKS_MAX;
use jobengine_store::{NewWebhook, draw_webhook_secret};
use serde::Deserialize;
use utoipa::ToSchema;

use super::secret::GivenSecret;
use super::spec::{check_name, filter, spec};
use super::view::{WebhookSecretShown, WebhookView};
use crate::act::{Act, Done};
use crate::json::JsonBody;
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// A webhook to be made
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CreateWebhook {
    /// What people call it: 1 to 200 printable characters.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Where deliveries go: https, port 443 or 8443, a public address, no user, no fragment.
    #[schema(max_length = 2048, example = "https://hooks.example.com/jobs")]
    url: String,
    /// Types (`job.failed`) and families (`job.*`) of events; all when empty.
    #[serde(default)]
    #[schema(max_items = 50)]
    event_types: BTreeSet<String>,
    /// Types of jobs; all when empty. Events without a job are then not told.
    #[serde(default)]
    #[schema(max_items = 100)]
    job_types: BTreeSet<String>,
    /// The only run.
    #[schema(value_type = Option<Uuid>)]
    run_id: Option<RunId>,
    /// The secret, if it is not to be drawn here: `whsec_` and 32 to 64 bytes in Base64.
    #[schema(value_type = Option<String>)]
    secret: Option<GivenSecret>,
}

/// Make a webhook
///
/// It is told of what happens from now on. The answer is the only one that shows its secret.
#[utoipa::path(
    post, path = "/webhooks", operation_id = "webhook_create", tag = "webhooks",
    extensions(("x-scope" = json!("orch:webhook")), ("x-effect" = json!("audited"))),
    request_body = CreateWebhook,
    responses(
        (status = 201, description = "The webhook, with its secret", body = WebhookSecretShown),
        (status = 400, description = "The body is not JSON as we take it (JSON_MALFORMED)"),
        (status = 409, description = "The tenant has 50 webhooks (WEBHOOK_LIMIT)"),
        (status = 413, description = "More than 256 KiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Not application/json (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "A field is not valid, or the URL is not one that is delivered to (REQUEST_INVALID, WEBHOOK_URL_DENIED)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    JsonBody(request): JsonBody<CreateWebhook>,
) -> Result<Response, Problem> {
    check_name(&request.name)?;
    let filter = filter(request.event_types, request.job_types, request.run_id)?;
    let secret = request
        .secret
        .map_or_else(draw_webhook_secret, |GivenSecret(secret)| secret);
    act.perform(&state, async |tx| {
        let hosts = tx.webhook_hosts().await?;
        let name = request.name.clone();
        let new = NewWebhook {
            project: act.caller().project,
            spec: spec(state.egress(), &hosts, name, &request.url, filter.clone())?,
            secret: secret.clone(),
        };
        let id = tx.webhook_create(state.secret(), &new).await?;
        let id = id.ok_or_else(|| {
            let detail = format!("a tenant has at most {WEBHOOKS_MAX} webhooks; remove one");
            Problem::new(Code::WebhookLimit, detail)
        })?;
        let webhook = WebhookView::from(tx.webhook_lock(id).await?);
        let digest = webhook.digest();
        let secret = secret.reveal().to_string();
        let shown = WebhookSecretShown { webhook, secret };
        Ok(Done::created(shown).of("webhook", id).after(digest))
    })
    .await
}
