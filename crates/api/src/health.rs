//! Is it up, is it ready, which version.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::problem::{Code, Problem};
use crate::route::Routes;
use crate::state::AppState;

/// What whoever keeps the service running asks it.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .add(routes!(health))
        .add(routes!(ready))
        .add(routes!(version))
}

/// The answer of a service that is well.
#[derive(Debug, Serialize, ToSchema)]
struct Status {
    /// `ok`.
    status: &'static str,
}

/// Which program this is.
#[derive(Debug, Serialize, ToSchema)]
struct Version {
    /// `jobengine`.
    name: &'static str,
    /// Semantic version.
    version: &'static str,
}

/// The process is up
///
/// Says nothing about the database: a process is not restarted because PostgreSQL is away.
#[utoipa::path(
    get, path = "/healthz", operation_id = "health", tag = "service",
    extensions(("x-scope" = json!("public"))),
    responses((status = 200, description = "The process answers", body = Status))
)]
async fn health() -> Json<Status> {
    Json(Status { status: "ok" })
}

/// The service can do its work
///
/// Asks PostgreSQL, and whether its schema is the one this program needs. A load balancer sends requests only to a service that is ready.
#[utoipa::path(
    get, path = "/readyz", operation_id = "ready", tag = "service",
    extensions(("x-scope" = json!("public"))),
    responses((status = 200, description = "PostgreSQL answers and its schema is current", body = Status))
)]
async fn ready(State(state): State<AppState>) -> Result<Json<Status>, Problem> {
    if state.stopping().is_cancelled() {
        return Err(Problem::new(Code::Overloaded, "the service is stopping"));
    }
    if let Some(complaint) = state.store().schema_complaint().await? {
        return Err(Problem::new(Code::DatabaseUnavailable, complaint));
    }
    Ok(Json(Status { status: "ok" }))
}

/// Which version answers
#[utoipa::path(
    get, path = "/version", operation_id = "version", tag = "service",
    extensions(("x-scope" = json!("public"))),
    responses((status = 200, description = "Name and version", body = Version))
)]
async fn version() -> Json<Version> {
    Json(Version {
        name: "jobengine",
        version: env!("CARGO_PKG_VERSION"),
    })
}
