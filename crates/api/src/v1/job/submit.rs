//! `POST /jobs`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jobengine_domain::defaults::SUBMIT_MAX;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::JobSpec;
use crate::check::Checks;
use crate::edge::RequestIds;
use crate::identity::Caller;
use crate::json::{BULK_MAX_BYTES, JsonBody};
use crate::problem::Problem;
use crate::state::AppState;

/// Jobs without a run
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SubmitJobs {
    /// What is to be done.
    #[schema(min_items = 1, max_items = 10_000)]
    jobs: Vec<JobSpec>,
}

/// The jobs are in the ledger
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobsSubmitted {
    /// Their ids, in the order of the request.
    job_ids: Vec<Uuid>,
}

/// Submit jobs
///
/// All of them or none; they are durable when this is answered.
#[utoipa::path(
    post, path = "/jobs", operation_id = "job_submit", tag = "jobs",
    extensions(("x-scope" = json!("orch:submit"))),
    request_body = SubmitJobs,
    responses(
        (status = 201, description = "The jobs are in the ledger", body = JobsSubmitted),
        (status = 400, description = "The body is not JSON as we take it (JSON_MALFORMED)"),
        (status = 413, description = "More than 4 MiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Not application/json (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "A field is not valid (REQUEST_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    ids: RequestIds,
    JsonBody(request): JsonBody<SubmitJobs, BULK_MAX_BYTES>,
) -> Result<(StatusCode, Json<JobsSubmitted>), Problem> {
    let mut checks = Checks::default();
    checks.count("jobs", request.jobs.len(), SUBMIT_MAX);
    for (at, job) in request.jobs.iter().enumerate() {
        job.check(&format!("jobs[{at}]"), &mut checks);
    }
    checks.end()?;
    let jobs = request.jobs.into_iter();
    let jobs = jobs.map(|job| job.into_job(String::new(), Vec::new(), &ids.correlation_id));
    let submitted = state.submits().ask(caller.tenant, jobs.collect()).await?;
    let job_ids = submitted.into_iter().map(|job| job.0).collect();
    Ok((StatusCode::CREATED, Json(JobsSubmitted { job_ids })))
}
