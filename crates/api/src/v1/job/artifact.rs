//! `GET /jobs/{jobId}/artifacts/{name}`

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, ETAG};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use jobengine_domain::id::JobId;

use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// The digest of the bytes, as everywhere else in the contract.
const DIGEST: HeaderName = HeaderName::from_static("x-content-digest");

/// Download an artifact
///
/// That of the attempt that was accepted, or else of the last one that stored any of this name. Its bytes
/// are a worker's own: they are sent as a file, whatever they say that they are.
#[utoipa::path(
    get, path = "/jobs/{jobId}/artifacts/{name}", operation_id = "job_artifact", tag = "jobs",
    extensions(("x-scope" = json!("orch:payload"))),
    params(
        ("jobId" = uuid::Uuid, Path, description = "The job's id"),
        ("name" = String, Path, description = "The artifact's name", example = "findings.json"),
    ),
    responses(
        (status = 200, description = "Its bytes, with the media type its worker gave", body = serde_json::Value, content_type = "*/*",
         headers(("X-Content-Digest" = String, description = "SHA-256 of its bytes"), ("ETag" = String, description = "The same, as an entity tag"))),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such artifact of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    PathParams((id, name)): PathParams<(JobId, String)>,
) -> Result<Response, Problem> {
    if name.contains('\0') {
        return Err(Problem::not_found("artifact"));
    }
    let tx = state.store().read(&caller).await?;
    // The job's row stands behind the wall between projects; an artifact's does not.
    let job = tx.job_find(id).await?;
    let artifact = match job {
        Some(_) => tx.artifact_get(id, &name).await?,
        None => None,
    };
    tx.commit().await?;
    let artifact = artifact.ok_or_else(|| Problem::not_found("artifact"))?;
    let mut response = artifact.body.into_response();
    let headers = response.headers_mut();
    let plain = HeaderValue::from_static("application/octet-stream");
    let media_type = HeaderValue::from_str(&artifact.media_type).unwrap_or(plain);
    headers.insert(CONTENT_TYPE, media_type);
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    let digest = artifact.digest.to_string();
    for (header, text) in [(DIGEST, digest.clone()), (ETAG, format!("\"{digest}\""))] {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(header, value);
        }
    }
    Ok(response)
}
