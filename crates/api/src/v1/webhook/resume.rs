//! `POST /webhooks/{webhookId}:resume`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::id::WebhookId;
use jobengine_store::ResumeFrom;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::view::WebhookView;
use crate::act::{Act, Done};
use crate::params::{PathParams, QueryParams};
use crate::problem::Problem;
use crate::state::AppState;

/// Where it goes on
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// `cursor`, unless said otherwise: with the first event it has not seen and that is still kept. `now`: with
    /// what happens from now on.
    #[serde(default)]
    #[param(inline)]
    from: Start,
}

/// Where a webhook goes on after a pause.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum Start {
    #[default]
    Cursor,
    Now,
}

/// Resume a webhook
///
/// Its failures are forgotten, and what waits is sent. One that is active stays as it is.
#[utoipa::path(
    post, path = "/webhooks/{webhookId}:resume", operation_id = "webhook_resume", tag = "webhooks",
    extensions(("x-scope" = json!("orch:webhook")), ("x-effect" = json!("audited"))),
    params(("webhookId" = uuid::Uuid, Path, description = "The webhook's id"), Query),
    responses(
        (status = 200, description = "The webhook as it is now", body = WebhookView),
        (status = 400, description = "The id or a parameter cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such webhook of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    PathParams(id): PathParams<WebhookId>,
    QueryParams(query): QueryParams<Query>,
) -> Result<Response, Problem> {
    let from = match query.from {
        Start::Cursor => ResumeFrom::Cursor,
        Start::Now => ResumeFrom::Now,
    };
    act.perform(&state, async |tx| {
        let before = WebhookView::from(tx.webhook_lock(id).await?).digest();
        tx.webhook_resume(id, from).await?;
        let webhook = WebhookView::from(tx.webhook_lock(id).await?);
        Ok(Done::ok(webhook).of("webhook", id).before(before))
    })
    .await
}
