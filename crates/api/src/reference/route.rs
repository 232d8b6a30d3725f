//! Where the contract is found, by programs and by people.

use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE, LINK, LOCATION, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use utoipa_axum::routes;

use super::asset::versions;
use super::page;
use crate::params::PathParams;
use crate::problem::{self, Problem};
use crate::route::Routes;
use crate::state::AppState;

/// Where the document is.
const DOCUMENT: &str = "/openapi/orchestrator.json";
/// Where its page is.
const PAGE: &str = "/docs";
/// Both, as a program finds them (RFC 8631).
const LINKS: &str = "</openapi/orchestrator.json>; rel=\"service-desc\"; type=\"application/json\", \
                     </docs>; rel=\"service-doc\"; type=\"text/html\"";

/// The operations that say what the others are.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .add(routes!(home))
        .add(routes!(well_known))
        .add(routes!(document))
        .add(routes!(reference))
        .add(routes!(problem_page))
}

/// Where to begin
#[utoipa::path(
    get, path = "/", operation_id = "home", tag = "service",
    extensions(("x-scope" = json!("public"))),
    responses((status = 307, description = "At `/docs`"))
)]
async fn home() -> Response {
    see(PAGE)
}

/// Where the contract is
///
/// `Link` names the document (`service-desc`) and its page (`service-doc`); `API-Version` and
/// `OpenAPI-Version` say which.
#[utoipa::path(
    get, path = "/.well-known/openapi", operation_id = "contract_find", tag = "service",
    extensions(("x-scope" = json!("public"))),
    responses((status = 307, description = "At `/openapi/orchestrator.json`"))
)]
async fn well_known() -> Response {
    see(DOCUMENT)
}

/// The contract
///
/// The OpenAPI 3.1 document of every operation of this service. May be kept: `ETag` and
/// `If-None-Match` tell whether it is still the same.
#[utoipa::path(
    get, path = "/openapi/orchestrator.json", operation_id = "contract", tag = "service",
    extensions(("x-scope" = json!("public"))),
    responses(
        (status = 200, description = "The OpenAPI document", body = Object, content_type = "application/json"),
        (status = 304, description = "Still the one that `If-None-Match` names"),
    )
)]
async fn document(State(state): State<AppState>, headers: HeaderMap) -> Response {
    state.published().document.answer(&headers)
}

/// The contract, for people
///
/// Every operation on one page, without anything from elsewhere.
#[utoipa::path(
    get, path = "/docs", operation_id = "contract_page", tag = "service",
    extensions(("x-scope" = json!("public"))),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 304, description = "Still the one that `If-None-Match` names"),
    )
)]
async fn reference(State(state): State<AppState>, headers: HeaderMap) -> Response {
    state.published().page.answer(&headers)
}

/// What a problem means
///
/// The page that the `type` of a problem refers to: in Markdown, or in HTML for who accepts `text/html`.
#[utoipa::path(
    get, path = "/problems/{name}", operation_id = "problem_page", tag = "service",
    params(("name" = String, Path, description = "The page's name", example = "lease-lost")),
    extensions(("x-scope" = json!("public"))),
    responses(
        (status = 200, description = "The page", content((String = "text/markdown"), (String = "text/html"))),
        (status = 304, description = "Still the one that `If-None-Match` names"),
        (status = 404, description = "No problem has that name (NOT_FOUND)"),
    )
)]
async fn problem_page(
    PathParams(name): PathParams<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let text = problem::page(&name).ok_or_else(|| Problem::not_found("problem"))?;
    let mut response = if accepts_html(&headers) {
        page::problem(text).answer(&headers)
    } else {
        ([(CONTENT_TYPE, "text/markdown; charset=utf-8")], text).into_response()
    };
    let vary = response.headers_mut();
    vary.insert(VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

/// Whether somebody looks at it in a browser.
fn accepts_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter();
    accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|range| range.trim().eq_ignore_ascii_case("text/html"))
}

fn see(place: &'static str) -> Response {
    let there: [(HeaderName, &str); 2] = [(LOCATION, place), (LINK, LINKS)];
    let mut response = (StatusCode::TEMPORARY_REDIRECT, there).into_response();
    versions(response.headers_mut());
    response
}
