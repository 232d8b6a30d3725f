//! `PUT /webhook-hosts`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::egress::{HOSTS_MAX, Hosts};

use super::WebhookHosts;
use crate::act::{Act, Done};
use crate::check::Checks;
use crate::json::JsonBody;
use crate::problem::Problem;
use crate::state::AppState;

/// Confine webhooks to hosts
///
/// It holds at once, also for what waits: a delivery to another host fails, and is tried again as any failure is. An
/// administrator decides this, so that whoever manages webhooks stays within it.
#[utoipa::path(
    put, path = "/webhook-hosts", operation_id = "webhook_hosts_put", tag = "webhooks",
    extensions(("x-scope" = json!("orch:admin")), ("x-effect" = json!("audited"))),
    request_body = WebhookHosts,
    responses(
        (status = 200, description = "The hosts as they are now", body = WebhookHosts),
        (status = 400, description = "The body is not JSON as we take it (JSON_MALFORMED)"),
        (status = 413, description = "More than 256 KiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Not application/json (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "A host cannot be read, or there are too many (REQUEST_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    JsonBody(request): JsonBody<WebhookHosts>,
) -> Result<Response, Problem> {
    act.caller().require_whole_tenant()?;
    let hosts = read(&request)?;
    act.perform(&state, async |tx| {
        tx.webhook_hosts_put(&hosts).await?;
        let view = WebhookHosts::from(&hosts);
        Ok(Done::ok(view).of("webhook_hosts", tx.tenant()))
    })
    .await
}

fn read(request: &WebhookHosts) -> Result<Hosts, Problem> {
    let mut checks = Checks::default();
    let found = request.hosts.len();
    checks.hold(
        found <= HOSTS_MAX,
        || "hosts".to_owned(),
        "RANGE",
        format!("holds {found}; at most {HOSTS_MAX} are taken"),
    );
    let mut hosts = Hosts::default();
    for (number, host) in request.hosts.iter().enumerate() {
        match host.parse() {
            Ok(pattern) => {
                hosts.0.insert(pattern);
            }
            Err(error) => {
                let detail = format!("{error}");
                checks.hold(false, || format!("hosts[{number}]"), "VALUE", detail);
            }
        }
    }
    checks.end()?;
    Ok(hosts)
}
