//! `PUT /worker/artifacts/{jobId}/{name}`

use axum::Json;
use axum::extract::State;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use jobengine_domain::id::JobId;
use jobengine_store::Effect;
use serde::Serialize;
use utoipa::ToSchema;

use crate::act::Act;
use crate::body::RawBody;
use crate::lease_token::LeaseTokenHeader;
use crate::params::PathParams;
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// Largest artifact, in bytes.
const ARTIFACT_MAX_BYTES: usize = 32 * 1024 * 1024;
/// Longest name of an artifact, and longest media type.
const NAME_MAX: usize = 100;

/// The artifact is stored
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ArtifactStored {
    /// SHA-256 of its bytes.
    digest: String,
    /// How many.
    bytes: usize,
}

/// Store an artifact
///
/// It counts once the attempt that stored it is accepted as successful. The first of a name stays.
#[utoipa::path(
    put, path = "/worker/artifacts/{jobId}/{name}", operation_id = "worker_artifact", tag = "workers",
    extensions(("x-scope" = json!("orch:worker")), ("x-effect" = json!("granted"))),
    params(
        ("jobId" = uuid::Uuid, Path, description = "The job"),
        ("name" = String, Path, pattern = "^[A-Za-z0-9_.-]{1,100}$", description = "Letters, digits, `_`, `.` and `-`, up to 100", example = "findings.json"),
        ("X-Lease-Token" = uuid::Uuid, Header, description = "Proof of holding the job's lease"),
    ),
    request_body(content = String, content_type = "application/octet-stream", description = "Its bytes, up to 32 MiB, of any media type"),
    responses(
        (status = 201, description = "It is stored", body = ArtifactStored),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID)"),
        (status = 408, description = "The body did not arrive in time (REQUEST_TIMEOUT)"),
        (status = 409, description = "The lease was lost (LEASE_LOST)"),
        (status = 413, description = "More than 32 MiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Without a media type, or encoded (MEDIA_TYPE_UNSUPPORTED)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    PathParams((job, name)): PathParams<(JobId, String)>,
    LeaseTokenHeader(token): LeaseTokenHeader,
    headers: HeaderMap,
    RawBody(body): RawBody<ARTIFACT_MAX_BYTES>,
) -> Result<(StatusCode, Json<ArtifactStored>), Problem> {
    if !is_name(&name) {
        let detail = "the name holds 1 to 100 letters, digits, `_`, `.` and `-`";
        return Err(Problem::new(Code::ParameterInvalid, detail));
    }
    let media_type = media_type(&headers)?;
    let tx = state.store().begin(act.caller()).await?;
    let Some(fence) = tx.lease_check(job, token).await? else {
        tx.commit().await?;
        state.metrics().lease_lost("worker_artifact");
        return Err(Problem::lease_lost());
    };
    let digest = tx
        .artifact_put(job, fence, &name, media_type, &body)
        .await?;
    let (record, id) = (act.record(), format!("{job}/{name}"));
    tx.acts_record(&[Effect::granted(&record, "artifact", &id, digest)])
        .await?;
    tx.commit().await?;
    let stored = ArtifactStored {
        digest: digest.to_string(),
        bytes: body.len(),
    };
    Ok((StatusCode::CREATED, Json(stored)))
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(plain)
}

fn media_type(headers: &HeaderMap) -> Result<&str, Problem> {
    let refuse = |detail: &str| Problem::new(Code::MediaTypeUnsupported, detail);
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(refuse("this operation takes no content encoding"));
    }
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .filter(|text| (1..=NAME_MAX).contains(&text.len()))
        .ok_or_else(|| refuse("say what it is in Content-Type"))
}
