//! Is it up, is it ready, which version, where is the contract.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::params::PathParams;
use crate::problem::{Code, Problem, page};
use crate::route::Routes;
use crate::state::AppState;

/// Where the document is.
const DOCUMENT: &str = "/openapi/orchestrator.json";

/// The operations that need no token.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .add(routes!(health))
        .add(routes!(ready))
        .add(routes!(version))
        .add(routes!(well_known))
        .add(routes!(document))
        .add(routes!(problem_page))
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
/// Asks PostgreSQL. A load balancer sends requests only to a service that is ready.
#[utoipa::path(
    get, path = "/readyz", operation_id = "ready", tag = "service",
    extensions(("x-scope" = json!("public"))),
    responses((status = 200, description = "PostgreSQL answers", body = Status))
)]
async fn ready(State(state): State<AppState>) -> Result<Json<Status>, Problem> {
    if state.shutdown().is_cancelled() {
        return Err(Problem::new(Code::Overloaded, "the service is stopping"));
    }
    state.store().ping().await?;
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

/// Where the contract is
#[utoipa::path(
    get, path = "/.well-known/openapi", operation_id = "contract_find", tag = "service",
    extensions(("x-scope" = json!("public"))),
    responses((status = 307, description = "At `/openapi/orchestrator.json`"))
)]
async fn well_known() -> impl IntoResponse {
    (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, DOCUMENT)])
}

/// The contract
///
/// The OpenAPI 3.1 document of every operation of this service.
#[utoipa::path(
    get, path = "/openapi/orchestrator.json", operation_id = "contract", tag = "service",
    extensions(("x-scope" = json!("public"))),
    responses((status = 200, description = "The OpenAPI document", body = Object, content_type = "application/json"))
)]
async fn document(State(state): State<AppState>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], state.document())
}

/// What a problem means
///
/// The page that the `type` of a problem refers to, in Markdown.
#[utoipa::path(
    get, path = "/problems/{name}", operation_id = "problem_page", tag = "service",
    params(("name" = String, Path, description = "The page's name", example = "lease-lost")),
    extensions(("x-scope" = json!("public"))),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/markdown"),
        (status = 404, description = "No problem has that name (NOT_FOUND)"),
    )
)]
async fn problem_page(PathParams(name): PathParams<String>) -> Result<impl IntoResponse, Problem> {
    let text = page(&name).ok_or_else(|| Problem::not_found("problem"))?;
    Ok(([(CONTENT_TYPE, "text/markdown; charset=utf-8")], text))
}
