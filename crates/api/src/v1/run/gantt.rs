//! `GET /runs/{runId}/gantt`

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::{JobId, RunId};
use jobengine_store::{AttemptRecord, PlanNode};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// When which job of a run did what
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunGantt {
    /// The run.
    run_id: Uuid,
    /// When it was read: bars without an end reach up to here.
    #[schema(format = DateTime)]
    at: String,
    /// One row a job, in topological order.
    rows: Vec<GanttRow>,
}

/// A job's row
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct GanttRow {
    /// The job.
    job_id: Uuid,
    /// Its name within the run.
    key: String,
    /// Its state.
    #[schema(example = "succeeded")]
    state: &'static str,
    /// When it was submitted.
    #[schema(format = DateTime)]
    created_at: String,
    /// When the last of its parents ended; as it was submitted, without parents. Null while it
    /// waits, and when it ended before them.
    #[schema(value_type = Option<String>, format = DateTime)]
    free_at: Option<String>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<String>,
    /// One bar an attempt.
    bars: Vec<GanttBar>,
}

/// An attempt's bar
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct GanttBar {
    /// Counted from 1.
    attempt: u32,
    /// The session of the worker that made it.
    session_id: Uuid,
    /// When it was granted.
    #[schema(format = DateTime)]
    granted_at: String,
    /// When its worker said that it has begun.
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<String>,
    /// When it ended; null while it is under way.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<String>,
    /// How it ended.
    cause: Option<String>,
}

/// Read a run's Gantt chart
#[utoipa::path(
    get, path = "/runs/{runId}/gantt", operation_id = "run_gantt", tag = "runs",
    extensions(("x-scope" = json!("orch:read"))),
    params(("runId" = uuid::Uuid, Path, description = "The run's id")),
    responses(
        (status = 200, description = "A row for each of its jobs", body = RunGantt),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such run of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(id): PathParams<RunId>,
) -> Result<Json<RunGantt>, Problem> {
    let tx = state.store().read(&caller).await?;
    let run = tx.run_find(id).await?;
    let plan = tx.run_plan(id).await?;
    let jobs: Vec<JobId> = plan.iter().map(|node| node.job).collect();
    let attempts = tx.job_attempts(&jobs).await?;
    // Never before what it tells of, whatever the clock says.
    let told = attempts.iter().map(|attempt| attempt.granted_at);
    let told = told.chain(plan.iter().filter_map(|node| node.ended_at));
    let now = told.fold(tx.now(), Ord::max);
    tx.commit().await?;
    run.ok_or_else(|| Problem::not_found("run"))?;
    Ok(Json(RunGantt {
        run_id: id.0,
        at: now.to_string(),
        rows: rows(&plan, attempts),
    }))
}

fn rows(plan: &[PlanNode], attempts: Vec<AttemptRecord>) -> Vec<GanttRow> {
    let mut bars: BTreeMap<JobId, Vec<GanttBar>> = BTreeMap::new();
    for attempt in attempts {
        bars.entry(attempt.job).or_default().push(attempt.into());
    }
    let mut row = |node: &PlanNode| {
        let parents = node
            .parents
            .iter()
            .map(|(parent, _)| plan[*parent].ended_at);
        // `None` when some parent has not ended.
        let ends: Option<Vec<_>> = parents.collect();
        let free = ends.map(|ends| ends.into_iter().fold(node.created_at, Ord::max));
        let free = free.filter(|free| node.ended_at.is_none_or(|end| *free <= end));
        GanttRow {
            job_id: node.job.0,
            key: node.key.clone(),
            state: node.state.as_str(),
            created_at: node.created_at.to_string(),
            free_at: free.map(|at| at.to_string()),
            ended_at: node.ended_at.map(|at| at.to_string()),
            bars: bars.remove(&node.job).unwrap_or_default(),
        }
    };
    plan.iter().map(&mut row).collect()
}

impl From<AttemptRecord> for GanttBar {
    fn from(attempt: AttemptRecord) -> Self {
        let (ended_at, cause) = attempt.end.unzip();
        Self {
            attempt: attempt.attempt,
            session_id: attempt.session.0,
            granted_at: attempt.granted_at.to_string(),
            started_at: attempt.started_at.map(|at| at.to_string()),
            ended_at: ended_at.map(|at| at.to_string()),
            cause,
        }
    }
}
