//! `GET /webhook-hosts`

use axum::Json;
use axum::extract::State;

use super::WebhookHosts;
use crate::identity::Caller;
use crate::problem::Problem;
use crate::state::AppState;

/// Read the hosts to which webhooks are confined
#[utoipa::path(
    get, path = "/webhook-hosts", operation_id = "webhook_hosts_get", tag = "webhooks",
    extensions(("x-scope" = json!("orch:webhook"))),
    responses((status = 200, description = "The hosts; none when webhooks are not confined", body = WebhookHosts))
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Json<WebhookHosts>, Problem> {
    let tx = state.store().read(&caller).await?;
    let hosts = tx.webhook_hosts().await?;
    tx.commit().await?;
    Ok(Json((&hosts).into()))
}
