//! `GET /webhooks/{webhookId}/deliveries`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::{DeliveryId, WebhookId};
use jobengine_store::DeliveryState;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::DeliveryView;
use crate::identity::Caller;
use crate::page::page_limit;
use crate::params::{PathParams, QueryParams};
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// The list and its order, as its tokens name it.
const BY: &str = "delivery_id desc";

/// Which deliveries, and how many
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Only deliveries in this state: `pending`, `delivered` or `failed`.
    #[param(pattern = "^(pending|delivered|failed)$")]
    state: Option<String>,
    /// Items on the page, 1 to 500; 100 unless said otherwise.
    limit: Option<u32>,
    /// Where the page before ended.
    continuation_token: Option<String>,
}

/// A page of deliveries
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeliveryPage {
    /// The deliveries, newest first.
    items: Vec<DeliveryView>,
    /// Where the next page starts; null on the last one.
    continuation_token: Option<String>,
}

/// List deliveries to a webhook
///
/// Newest first, of the last two weeks.
#[utoipa::path(
    get, path = "/webhooks/{webhookId}/deliveries", operation_id = "webhook_delivery_list", tag = "webhooks",
    extensions(("x-scope" = json!("orch:webhook"))),
    params(("webhookId" = uuid::Uuid, Path, description = "The webhook's id"), Query),
    responses(
        (status = 200, description = "A page of deliveries", body = DeliveryPage),
        (status = 400, description = "The id or a parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
        (status = 404, description = "No such webhook of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(webhook): PathParams<WebhookId>,
    QueryParams(query): QueryParams<Query>,
) -> Result<Json<DeliveryPage>, Problem> {
    let limit = page_limit(query.limit)?;
    let wanted = query
        .state
        .map(|state| DeliveryState::parse(&state).ok_or_else(unknown_state))
        .transpose()?;
    let pages = caller.pages();
    let before = pages.resume::<DeliveryId>(BY, query.continuation_token.as_deref())?;
    let tx = state.store().read(&caller).await?;
    if tx.webhook_find(webhook).await?.is_none() {
        return Err(Problem::not_found("webhook"));
    }
    let deliveries = tx.delivery_list(webhook, before, wanted, limit).await?;
    tx.commit().await?;
    Ok(Json(DeliveryPage {
        continuation_token: pages.after_page(BY, &deliveries, limit, |last| last.id),
        items: deliveries.into_iter().map(DeliveryView::from).collect(),
    }))
}

fn unknown_state() -> Problem {
    let states = DeliveryState::ALL.map(DeliveryState::as_str);
    let detail = format!("state is one of {}", states.join(", "));
    Problem::new(Code::ParameterInvalid, detail)
}
