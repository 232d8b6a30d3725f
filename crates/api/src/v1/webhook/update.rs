//! `PATCH /webhooks/{webhookId}`

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::id::{RunId, WebhookId};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::spec::{check_name, filter, spec};
use super::view::WebhookView;
use crate::act::{Act, Done};
use crate::json::JsonBody;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// What of a webhook is to be changed; what is left out stays
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct UpdateWebhook {
    /// What people call it.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// Where deliveries go. What waits goes there too.
    #[schema(max_length = 2048)]
    url: Option<String>,
    /// Types and families of events; all when empty.
    #[schema(max_items = 50, example = json!(["job.failed", "run.*"]))]
    event_types: Option<BTreeSet<String>>,
    /// Types of jobs; all when empty.
    #[schema(max_items = 100)]
    job_types: Option<BTreeSet<String>>,
    /// The only run; null for all.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    run_id: Runs,
}

/// Tells a field that is null from one that is left out.
#[derive(Debug, Clone, Copy, Default)]
enum Runs {
    /// Left out.
    #[default]
    AsBefore,
    /// Null.
    All,
    /// One run.
    Only(RunId),
}

impl<'de> Deserialize<'de> for Runs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let run = Option::deserialize(deserializer)?;
        Ok(run.map_or(Self::All, Self::Only))
    }
}

/// Change a webhook
///
/// A new filter holds for events from now on; deliveries that were made already are sent.
#[utoipa::path(
    patch, path = "/webhooks/{webhookId}", operation_id = "webhook_update", tag = "webhooks",
    extensions(("x-scope" = json!("orch:webhook")), ("x-effect" = json!("audited"))),
    params(("webhookId" = Uuid, Path, description = "The webhook's id")),
    request_body = UpdateWebhook,
    responses(
        (status = 200, description = "The webhook as it is now", body = WebhookView),
        (status = 400, description = "The id or the body cannot be read (PARAMETER_INVALID, JSON_MALFORMED)"),
        (status = 404, description = "No such webhook of this tenant (NOT_FOUND)"),
        (status = 413, description = "More than 256 KiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Not application/json (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "A field is not valid, or the URL is not one that is delivered to (REQUEST_INVALID, WEBHOOK_URL_DENIED)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    PathParams(id): PathParams<WebhookId>,
    JsonBody(request): JsonBody<UpdateWebhook>,
) -> Result<Response, Problem> {
    if let Some(name) = &request.name {
        check_name(name)?;
    }
    act.perform(&state, async |tx| {
        let webhook = tx.webhook_lock(id).await?;
        let hosts = tx.webhook_hosts().await?;
        let before = webhook.spec.clone();
        let kept = &webhook.spec.filter;
        let filter = filter(
            request
                .event_types
                .clone()
                .unwrap_or_else(|| kept.event_types().clone()),
            request
                .job_types
                .clone()
                .unwrap_or_else(|| kept.job_types().clone()),
            match request.run_id {
                Runs::AsBefore => kept.run(),
                Runs::All => None,
                Runs::Only(run) => Some(run),
            },
        )?;
        let before_digest = WebhookView::from(webhook).digest();
        let name = request.name.clone().unwrap_or(before.name);
        let url = request.url.as_deref().unwrap_or(&before.url);
        let spec = spec(state.egress(), &hosts, name, url, filter)?;
        tx.webhook_update(id, &spec).await?;
        let webhook = WebhookView::from(tx.webhook_lock(id).await?);
        Ok(Done::ok(webhook).of("webhook", id).before(before_digest))
    })
    .await
}
