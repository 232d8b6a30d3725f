//! `GET /jobs/{jobId}/explain`

use axum::Json;
use axum::extract::State;
use jobengine_domain::hold::{Hold, Standing, explain};
use jobengine_domain::id::JobId;
use jobengine_domain::time::Timestamp;
use jobengine_store::JobStanding;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// Why a job is not running
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Explanation {
    /// The job.
    job_id: Uuid,
    /// Its state.
    #[schema(example = "queued")]
    state: &'static str,
    /// When that was so.
    #[schema(format = DateTime)]
    at: String,
    /// `dependency`, `paused`, `not_before`, `backoff` or `no_worker`; null when it runs or has ended.
    #[schema(value_type = Option<String>, example = "backoff")]
    hold: Option<&'static str>,
    /// When it may start at the earliest; null when that hangs on others, and when it runs or has ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    earliest_at: Option<String>,
    /// The same in a sentence.
    text: String,
    /// The parents for which it waits, up to 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    waits_for: Vec<WaitsFor>,
    /// Of a ready job: how many of its type go first, counted up to 10,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    ahead: Option<u64>,
    /// Of a ready job: how many workers were heard of lately, of whatever type, counted up to 10,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    workers: Option<u64>,
}

/// A parent that has not ended
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WaitsFor {
    /// The parent.
    job_id: Uuid,
    /// Its name within the run.
    key: String,
}

/// Explain why a job is not running
///
/// The first reason for which it waits, and the earliest moment at which it may start.
#[utoipa::path(
    get, path = "/jobs/{jobId}/explain", operation_id = "job_explain", tag = "jobs",
    extensions(("x-scope" = json!("orch:read"))),
    params(("jobId" = uuid::Uuid, Path, description = "The job's id")),
    responses(
        (status = 200, description = "Why it is not running", body = Explanation),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such job of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(id): PathParams<JobId>,
) -> Result<Json<Explanation>, Problem> {
    let tx = state.store().read(&caller).await?;
    let (standing, now) = (tx.job_standing(id).await?, tx.now());
    tx.commit().await?;
    let standing = standing.ok_or_else(|| Problem::not_found("job"))?;
    Ok(Json(Explanation::of(id, standing, now)))
}

impl Explanation {
    fn of(id: JobId, standing: JobStanding, now: Timestamp) -> Self {
        let told = explain(standing.state, standing.not_before, standing.paused, now);
        let (hold, earliest) = match told {
            Standing::Waits { hold, earliest } => (Some(hold), earliest),
            Standing::Runs | Standing::Ended => (None, None),
        };
        let text = text(&standing, told);
        let parents = standing.parents.into_iter();
        Self {
            job_id: id.0,
            state: standing.state.as_str(),
            at: now.to_string(),
            hold: hold.map(Hold::as_str),
            earliest_at: earliest.map(|at| at.to_string()),
            text,
            waits_for: parents
                .map(|(job, key)| WaitsFor { job_id: job.0, key })
                .collect(),
            ahead: standing.ahead.map(|(ahead, _)| ahead),
            workers: standing.ahead.map(|(_, workers)| workers),
        }
    }
}

fn text(standing: &JobStanding, told: Standing) -> String {
    let at = |moment: Option<Timestamp>| moment.map_or_else(String::new, |at| at.to_string());
    match told {
        Standing::Runs => "A worker holds it.".to_owned(),
        Standing::Ended => "It has ended; replay it to have it done again.".to_owned(),
        Standing::Waits { hold, earliest } => match hold {
            Hold::Dependency => match standing.parents_left {
                1 => "It waits for the end of one parent.".to_owned(),
                left => format!("It waits for the ends of {left} parents."),
            },
            Hold::NotBefore => format!("It was asked not to start before {}.", at(earliest)),
            Hold::Backoff => format!(
                "An attempt failed; the next one waits until {}. Retry it to have it start now.",
                at(earliest)
            ),
            Hold::Paused => "Its source is paused.".to_owned(),
            Hold::NoWorker => match standing.ahead {
                Some((0, 0)) => "It may start, and no worker is heard of.".to_owned(),
                Some((0, _)) => {
                    "It is the next of its type; no worker that takes it has asked yet.".to_owned()
                }
                Some((ahead, _)) => format!("It may start after {ahead} jobs of its type."),
                None => "It may start.".to_owned(),
            },
        },
    }
}
