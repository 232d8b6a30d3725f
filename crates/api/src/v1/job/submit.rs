//! `POST /jobs`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::defaults::SUBMIT_MAX;
use jobengine_domain::id::JobId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{JobSpec, Origin};
use crate::act::{Act, Done, respond};
use crate::check::Checks;
use crate::flush::Submit;
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
#[derive(Debug, Serialize, Deserialize, ToSchema)]
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
    extensions(("x-scope" = json!("orch:submit")), ("x-effect" = json!("audited"))),
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
    act: Act,
    JsonBody(request): JsonBody<SubmitJobs, BULK_MAX_BYTES>,
) -> Result<Response, Problem> {
    let mut checks = Checks::default();
    checks.count("jobs", request.jobs.len(), SUBMIT_MAX);
    for (at, job) in request.jobs.iter().enumerate() {
        let place = format!("jobs[{at}]");
        job.check(&place, &mut checks);
        job.check_project(&place, act.caller().project, &mut checks);
    }
    checks.end()?;
    let origin = Origin::of(&act, None);
    let jobs = request.jobs.into_iter();
    let jobs = jobs.map(|job| job.into_job(String::new(), Vec::new(), &origin));
    let submit = Submit {
        act: act.record(),
        jobs: jobs.collect(),
        answer,
    };
    let tenant = act.caller().tenant;
    Ok(respond(state.submits().ask(tenant, submit).await?))
}

/// The answer to a submit of these jobs.
pub(super) fn answer(jobs: &[JobId]) -> Done {
    let job_ids = jobs.iter().map(|job| job.0).collect();
    Done::created(JobsSubmitted { job_ids }).of("job", span(jobs))
}

/// The jobs of such an answer, given now or before.
pub(super) fn job_ids(done: &Done) -> Vec<Uuid> {
    serde_json::from_slice(done.body())
        .map_or_else(|_| Vec::new(), |answer: JobsSubmitted| answer.job_ids)
}

/// The id of one new job; the first and the last of several, which were drawn one after another.
fn span(jobs: &[JobId]) -> String {
    match jobs {
        [] => String::new(),
        [job] => job.to_string(),
        [first, .., last] => format!("{first}..{last}"),
    }
}
