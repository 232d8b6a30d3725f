//! The operations for inside eyes: on a listener of their own, bound to loopback unless told otherwise,
//! behind the same edge and the same guard as the contract.

mod tenant;

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use jobengine_domain::digest::Digest;
use jobengine_telemetry::log::LogControl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::act::{Act, Done};
use crate::check::Checks;
use crate::edge::REPLAYED;
use crate::health;
use crate::json::{JSON_MAX_BYTES, JsonBody};
use crate::problem::Problem;
use crate::route::Routes;
use crate::state::AppState;

/// Below it, what operators do beside the contract.
const BASE: &str = "/api/v1/admin";

/// Everything the administration listener answers.
pub(crate) fn operations() -> Routes {
    Routes::new()
        .merge(health::routes())
        .add(routes!(metrics))
        .add(routes!(log_level))
        .add(routes!(log_level_set))
        .nest(BASE, tenant::routes())
}

/// What is logged
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LogLevel {
    /// `info`, or `warn,jobengine_duties=debug`.
    #[schema(max_length = 1024)]
    filter: String,
}

/// What this process counts
///
/// `OpenMetrics` text. Costs no statement: what needs the database is refreshed by a background pass.
#[utoipa::path(
    get, path = "/metrics", operation_id = "metrics", tag = "service",
    extensions(("x-scope" = json!("public"))),
    responses((status = 200, description = "Every metric", body = String, content_type = "application/openmetrics-text"))
)]
async fn metrics(State(state): State<AppState>) -> impl IntoResponse {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, OPEN_METRICS)], state.registry().render())
}

/// What this process logs
#[utoipa::path(
    get, path = "/log-level", operation_id = "log_level", tag = "service",
    extensions(("x-scope" = json!("orch:admin"))),
    responses((status = 200, description = "The filter", body = LogLevel))
)]
async fn log_level(State(state): State<AppState>) -> Json<LogLevel> {
    let filter = state.log().filter();
    Json(LogLevel { filter })
}

/// Change what this process logs
///
/// At once, and until it ends: a setting of the process. Who did it stands in the audit trail.
#[utoipa::path(
    put, path = "/log-level", operation_id = "log_level_set", tag = "service",
    extensions(("x-scope" = json!("orch:admin")), ("x-effect" = json!("audited"))),
    request_body = LogLevel,
    responses(
        (status = 200, description = "The filter in force", body = LogLevel),
        (status = 400, description = "The body is not JSON as we take it (JSON_MALFORMED)"),
        (status = 413, description = "More than 256 KiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Not application/json (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "Not a filter (REQUEST_INVALID)"),
    )
)]
async fn log_level_set(
    State(state): State<AppState>,
    act: Act,
    JsonBody(request): JsonBody<LogLevel, JSON_MAX_BYTES>,
) -> Result<Response, Problem> {
    let checked = LogControl::check(&request.filter);
    let mut checks = Checks::default();
    checks.hold(
        checked.is_ok(),
        || "filter".to_owned(),
        "VALUE",
        "not a filter such as `info` or `warn,jobengine_duties=debug`",
    );
    checks.end()?;
    let before = Digest::of(state.log().filter().as_bytes());
    let filter = checked.unwrap_or_default();
    let response = act
        .perform(&state, |_| {
            let filter = filter.clone();
            async move {
                Ok(Done::ok(LogLevel { filter })
                    .of("log-level", "process")
                    .before(before))
            }
        })
        .await?;
    // After the commit: nothing is changed that has no audit row. A repeat has changed it already.
    if !response.headers().contains_key(REPLAYED) && state.log().set(&request.filter).is_ok() {
        tracing::warn!(subject = %act.caller().subject, filter, "what is logged was changed");
    }
    Ok(response)
}
