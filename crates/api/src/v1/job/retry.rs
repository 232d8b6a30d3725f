//! `POST /jobs/{jobId}:retry`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::id::JobId;
use jobengine_domain::state::JobState;
use jobengine_store::Wish;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::act::{Act, Done};
use crate::params::PathParams;
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// The job may start
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobMoved {
    /// The job.
    job_id: Uuid,
    /// Its state now.
    #[schema(example = "queued")]
    state: &'static str,
}

impl JobMoved {
    pub(super) const fn new(job: JobId, state: JobState) -> Self {
        Self {
            job_id: job.0,
            state: state.as_str(),
        }
    }
}

/// Retry a job
///
/// A job that waits after a failed attempt may make its next attempt now. A job that has ended stays as it
/// is: replay it.
#[utoipa::path(
    post, path = "/jobs/{jobId}:retry", operation_id = "job_retry", tag = "jobs",
    extensions(("x-scope" = json!("orch:operate")), ("x-effect" = json!("audited"))),
    params(("jobId" = uuid::Uuid, Path, description = "The job's id")),
    responses(
        (status = 200, description = "It may start now", body = JobMoved),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such job of this tenant (NOT_FOUND)"),
        (status = 409, description = "It does not wait after an attempt (CONFLICT)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    PathParams(id): PathParams<JobId>,
) -> Result<Response, Problem> {
    act.perform(&state, async |tx| match tx.job_retry(id).await? {
        None => Err(Problem::not_found("job").into()),
        Some(Wish::Refused(found)) => Err(refused(found).into()),
        Some(Wish::Done(now)) => Ok(Done::ok(JobMoved::new(id, now)).of("job", id)),
    })
    .await
}

fn refused(state: JobState) -> Problem {
    let detail = match state {
        JobState::Blocked => "it waits for its parents, not after an attempt".to_owned(),
        JobState::Queued { attempts: 0, .. } => {
            "it has made no attempt yet, and starts when it may".to_owned()
        }
        JobState::Queued { .. } => "it may start already".to_owned(),
        JobState::Leased { .. } => "a worker holds it".to_owned(),
        JobState::Succeeded
        | JobState::Failed { .. }
        | JobState::Canceled
        | JobState::TimedOut
        | JobState::Skipped => format!("it is {state} and stays so; replay it instead"),
    };
    Problem::new(Code::Conflict, detail)
}
