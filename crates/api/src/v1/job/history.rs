//! `GET /jobs/{jobId}/history`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::JobId;
use jobengine_domain::time::Timestamp;
use jobengine_store::{AttemptRecord, JobRecord};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::view::AttemptView;
use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// What happened to a job
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobHistory {
    /// The job.
    job_id: Uuid,
    /// Its attempts in order; the one under way has neither end nor cause.
    attempts: Vec<AttemptView>,
    /// What happened, in order.
    moments: Vec<Moment>,
}

/// One thing that happened
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Moment {
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// What, as the type of the event that told it: `job.submitted`, `job.leased`, `job.started`, `job.queued`
    /// (it is tried again), or `job.` and the state in which it ended.
    #[schema(example = "job.leased")]
    what: String,
    /// At which attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    /// Why, in a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Read a job's history
///
/// Its attempts, and what happened to it from its submit to its end, as the ledger keeps it: also after
/// the stream of events has forgotten it.
#[utoipa::path(
    get, path = "/jobs/{jobId}/history", operation_id = "job_history", tag = "jobs",
    extensions(("x-scope" = json!("orch:read"))),
    params(("jobId" = uuid::Uuid, Path, description = "The job's id")),
    responses(
        (status = 200, description = "What happened to it", body = JobHistory),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such job of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(id): PathParams<JobId>,
) -> Result<Json<JobHistory>, Problem> {
    let tx = state.store().read(&caller).await?;
    let job = tx.job_find(id).await?;
    let attempts = tx.job_attempts(&[id]).await?;
    tx.commit().await?;
    let job = job.ok_or_else(|| Problem::not_found("job"))?;
    Ok(Json(JobHistory {
        job_id: id.0,
        moments: moments(&job, &attempts),
        attempts: attempts.into_iter().map(AttemptView::from).collect(),
    }))
}

fn moments(job: &JobRecord, attempts: &[AttemptRecord]) -> Vec<Moment> {
    let moment = |at: Timestamp, what: &str, attempt: Option<u32>, reason: Option<String>| Moment {
        at: at.to_string(),
        what: format!("job.{what}"),
        attempt,
        reason,
    };
    let mut moments = vec![moment(job.created_at, "submitted", None, None)];
    for record in attempts {
        let attempt = Some(record.attempt);
        moments.push(moment(record.granted_at, "leased", attempt, None));
        if let Some(at) = record.started_at {
            moments.push(moment(at, "started", attempt, None));
        }
        let Some((at, cause)) = &record.end else {
            continue;
        };
        let reason = record.class.map(|class| class.as_str().to_owned());
        if job.ended_at == Some(*at) {
            moments.push(moment(*at, &job.state, attempt, reason));
        } else {
            let reason = reason.unwrap_or_else(|| cause.clone());
            moments.push(moment(*at, "queued", attempt, Some(reason)));
        }
    }
    let told = attempts.iter().any(|record| {
        record.end.as_ref().map(|(at, _)| *at) == job.ended_at && job.ended_at.is_some()
    });
    if let Some(at) = job.ended_at.filter(|_| !told) {
        moments.push(moment(at, &job.state, None, None));
    }
    moments
}
