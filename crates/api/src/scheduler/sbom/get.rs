//! `GET /sboms/{digest}`, and the document behind it as it came.

use axum::Json;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, ETAG};
use axum::response::{IntoResponse, Response};
use jobengine_domain::digest::Digest;
use utoipa_axum::routes;

use super::list::Sbom;
use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::route::Routes;
use crate::scheduler::INTAKE_MAX;
use crate::state::AppState;

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(routes!(sbom_get))
        .add_within(INTAKE_MAX, routes!(sbom_document))
}

/// Read an SBOM
///
/// What is known of it; `/document` has all it says. The images that consist of it: `GET /images?sbom=`.
#[utoipa::path(
    get, path = "/sboms/{digest}", operation_id = "sbom_get", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.read"))),
    params(("digest" = String, Path, description = "Digest of the document, unpacked", example = "sha256:3333333333333333333333333333333333333333333333333333333333333333")),
    responses(
        (status = 200, description = "The SBOM", body = Sbom),
        (status = 400, description = "Not a digest (PARAMETER_INVALID)"),
        (status = 404, description = "The tenant has no such SBOM (NOT_FOUND)"),
    )
)]
async fn sbom_get(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(digest): PathParams<Digest>,
) -> Result<Json<Sbom>, Problem> {
    let tx = state.store().read(&caller).await?;
    let record = tx.sbom_find(digest).await?;
    tx.commit().await?;
    let record = record.ok_or_else(|| Problem::not_found("SBOM"))?;
    Ok(Json(Sbom::of(record)))
}

/// Read an SBOM's document
///
/// Byte for byte as it came, unpacked: its SHA-256 is its digest.
#[utoipa::path(
    get, path = "/sboms/{digest}/document", operation_id = "sbom_document", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.read"))),
    params(("digest" = String, Path, description = "Digest of the document, unpacked", example = "sha256:3333333333333333333333333333333333333333333333333333333333333333")),
    responses(
        (status = 200, description = "The document", body = Object, content_type = "application/json"),
        (status = 400, description = "Not a digest (PARAMETER_INVALID)"),
        (status = 404, description = "The tenant has no such SBOM (NOT_FOUND)"),
    )
)]
async fn sbom_document(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(digest): PathParams<Digest>,
) -> Result<Response, Problem> {
    let tx = state.store().read(&caller).await?;
    let body = tx.document_body("sbom", digest).await?;
    tx.commit().await?;
    let body = body.ok_or_else(|| Problem::not_found("SBOM"))?;
    let headers = [
        (CONTENT_TYPE, "application/json".to_owned()),
        (ETAG, format!("\"{digest}\"")),
    ];
    Ok((headers, body).into_response())
}
