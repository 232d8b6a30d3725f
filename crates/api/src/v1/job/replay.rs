//! `POST /jobs/{jobId}:replay`

use axum::extract::State;
use axum::http::header::LOCATION;
use axum::response::Response;
use jobengine_domain::id::JobId;
use jobengine_store::{EVALUATE, NewJob, Replayed};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::act::{Act, Done};
use crate::params::PathParams;
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// The job is repeated by a new one
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobReplayed {
    /// The new job.
    job_id: Uuid,
    /// The one it repeats.
    replay_of: Uuid,
}

/// Replay a job
///
/// A new job with the payload, type, limits, tags, source, project and correlation id of one that has ended,
/// of high priority, outside of any run. A dead letter of the old one is decided as replayed. A segment of an impact
/// run is nothing outside of it: retry the run.
#[utoipa::path(
    post, path = "/jobs/{jobId}:replay", operation_id = "job_replay", tag = "jobs",
    extensions(("x-scope" = json!("orch:operate")), ("x-effect" = json!("audited"))),
    params(("jobId" = uuid::Uuid, Path, description = "The id of a job that has ended")),
    responses(
        (status = 201, description = "The new job is in the ledger", body = JobReplayed,
         headers(("Location" = String, description = "The new job"))),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such job of this tenant (NOT_FOUND)"),
        (status = 409, description = "It has not ended, or it is a segment of an impact run (CONFLICT)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    PathParams(id): PathParams<JobId>,
) -> Result<Response, Problem> {
    act.perform(&state, async |tx| {
        let replays = tx.replays(&[id]).await?;
        if replays.is_empty() {
            let found = tx.job_find(id).await?;
            let found = found.ok_or_else(|| Problem::not_found("job"))?;
            let detail = format!(
                "it is {} and has not ended; cancel or retry it",
                found.state
            );
            return Err(Problem::new(Code::Conflict, detail).into());
        }
        refuse_segments(&replays)?;
        let told = Replayed {
            by: &act.caller().subject,
            reason: act.reason(),
            payload_diff: None,
        };
        let ids = tx.jobs_replay(&replays, &told).await?;
        let job = ids[0];
        let replayed = JobReplayed {
            job_id: job.0,
            replay_of: id.0,
        };
        let location = format!("/api/v1/orchestrator/jobs/{job}");
        Ok(Done::created(replayed)
            .header(LOCATION, &location)
            .of("job", job))
    })
    .await
}

/// Refuses to repeat a segment of an impact run: its input is that of its run, which has completed without it.
pub(in crate::v1) fn refuse_segments(replays: &[NewJob]) -> Result<(), Problem> {
    if replays.iter().any(|job| job.job_type == EVALUATE) {
        let detail = "it is a segment of an impact run, and nothing outside of it; its images are evaluated again by \
                      themselves, or at once by a retry of the run";
        return Err(Problem::new(Code::Conflict, detail));
    }
    Ok(())
}
