//! `GET /runs/{runId}/deltas`: what a run changed, in all and image by image.

use axum::Json;
use axum::extract::State;
use jobengine_domain::digest::Digest;
use jobengine_domain::id::RunId;
use jobengine_impact::completion::ImageDelta;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::FindingsDelta;
use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::{Code, Problem};
use crate::route::Routes;
use crate::state::AppState;

pub(super) fn routes() -> Routes {
    Routes::new().add(routes!(impact_run_deltas))
}

/// What a run changed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RunDeltas {
    /// In all.
    delta: FindingsDelta,
    /// Image by image, sorted by digest; images without a change are left out.
    images: Vec<ImageFindingsDelta>,
}

/// What a run changed in one image.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ImageFindingsDelta {
    /// The image.
    #[schema(value_type = String)]
    image: Digest,
    /// There now and not before.
    new: u64,
    /// There before and not now.
    fixed: u64,
    /// Critical now and not so before.
    critical: u64,
    /// High now and not so before.
    high: u64,
    /// Known to be exploited now and not so before.
    kev: u64,
}

/// Read what a run changed
#[utoipa::path(
    get, path = "/runs/{runId}/deltas", operation_id = "impact_run_deltas", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.read"))),
    params(("runId" = String, Path, format = Uuid, description = "The run")),
    responses(
        (status = 200, description = "What it changed", body = RunDeltas),
        (status = 400, description = "Not the id of a run (PARAMETER_INVALID)"),
        (status = 404, description = "The tenant has no such impact run, or it has not completed (NOT_FOUND)"),
    )
)]
async fn impact_run_deltas(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(run): PathParams<RunId>,
) -> Result<Json<RunDeltas>, Problem> {
    let tx = state.store().read(&caller).await?;
    let record = tx.impact_run_find(run).await?;
    let completion = tx.impact_run_completion(run).await?;
    tx.commit().await?;
    let delta = record.and_then(|record| record.delta);
    let Some((delta, (_, images))) = Option::zip(delta, completion) else {
        return Err(Problem::not_found("completed impact run"));
    };
    let images: Vec<ImageDelta> = serde_json::from_str(&images).map_err(|error| {
        tracing::error!(%error, run.id = %run, "the stored deltas of run {run} cannot be read");
        Problem::new(Code::Internal, "the failure is in the log of the service")
    })?;
    Ok(Json(RunDeltas {
        delta: delta.into(),
        images: images.into_iter().map(Into::into).collect(),
    }))
}

impl From<ImageDelta> for ImageFindingsDelta {
    fn from(ImageDelta { image, delta }: ImageDelta) -> Self {
        Self {
            image,
            new: delta.new,
            fixed: delta.fixed,
            critical: delta.critical,
            high: delta.high,
            kev: delta.kev,
        }
    }
}
