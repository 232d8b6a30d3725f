//! `GET /jobs/{jobId}/artifacts`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::JobId;
use jobengine_store::ArtifactRecord;
use serde::Serialize;
use utoipa::ToSchema;

use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// What a job's attempts made
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ArtifactList {
    /// The artifacts, by attempt and name; 1,000 at most.
    items: Vec<ArtifactView>,
}

/// An artifact without its bytes
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Artifact)]
struct ArtifactView {
    /// Its name.
    name: String,
    /// The fence of the attempt that stored it.
    fence: i64,
    /// What it is.
    media_type: String,
    /// SHA-256 of its bytes.
    digest: String,
    /// How many.
    bytes: u64,
    /// When it was stored.
    #[schema(format = DateTime)]
    created_at: String,
    /// Whether its attempt was accepted as successful: only then it counts.
    accepted: bool,
}

/// List a job's artifacts
#[utoipa::path(
    get, path = "/jobs/{jobId}/artifacts", operation_id = "job_artifacts", tag = "jobs",
    extensions(("x-scope" = json!("orch:payload"))),
    params(("jobId" = uuid::Uuid, Path, description = "The job's id")),
    responses(
        (status = 200, description = "Its artifacts", body = ArtifactList),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such job of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(id): PathParams<JobId>,
) -> Result<Json<ArtifactList>, Problem> {
    let tx = state.store().read(&caller).await?;
    let job = tx.job_find(id).await?;
    let artifacts = tx.artifact_list(id).await?;
    tx.commit().await?;
    job.ok_or_else(|| Problem::not_found("job"))?;
    let items = artifacts.into_iter().map(ArtifactView::from).collect();
    Ok(Json(ArtifactList { items }))
}

impl From<ArtifactRecord> for ArtifactView {
    fn from(artifact: ArtifactRecord) -> Self {
        Self {
            name: artifact.name,
            fence: artifact.fence.0,
            media_type: artifact.media_type,
            digest: artifact.digest.to_string(),
            bytes: artifact.bytes,
            created_at: artifact.created_at.to_string(),
            accepted: artifact.accepted,
        }
    }
}
