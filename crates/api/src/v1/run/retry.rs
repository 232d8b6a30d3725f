//! `POST /runs/{runId}:retry`

use axum::extract::State;
use axum::http::header::LOCATION;
use axum::response::Response;
use jobengine_domain::dag_rest::{EndedNode, rest};
use jobengine_domain::id::RunId;
use jobengine_domain::run::RunState;
use jobengine_store::{NewRun, PlanNode};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::act::{Act, Done};
use crate::params::PathParams;
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// A new run does the rest
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunRetried {
    /// The new run.
    run_id: Uuid,
    /// The one whose rest it does.
    retry_of: Uuid,
    /// The jobs that are done again.
    jobs: Vec<JobRetried>,
}

/// A job that is done again
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct JobRetried {
    /// Its name within both runs.
    key: String,
    /// The new job.
    job_id: Uuid,
    /// The one it repeats.
    replay_of: Uuid,
}

/// Retry a run
///
/// Starts a new run (trigger `replay`) with those jobs of a run that has ended which did not succeed, in the
/// same shape and with the same payloads and priorities. Jobs that succeeded are not done again: whoever waits
/// for them starts at once. A job that waits for the failure of one that succeeded stays out.
#[utoipa::path(
    post, path = "/runs/{runId}:retry", operation_id = "run_retry", tag = "runs",
    extensions(("x-scope" = json!("orch:operate")), ("x-effect" = json!("audited"))),
    params(("runId" = uuid::Uuid, Path, description = "The id of a run that has ended")),
    responses(
        (status = 201, description = "The new run is in the ledger", body = RunRetried,
         headers(("Location" = String, description = "The new run"))),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such run of this tenant (NOT_FOUND)"),
        (status = 409, description = "It has not ended, or nothing of it is left to do (CONFLICT)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    PathParams(id): PathParams<RunId>,
) -> Result<Response, Problem> {
    act.perform(&state, async |tx| {
        let conflict = |detail: &str| Problem::new(Code::Conflict, detail);
        let run = tx.run_find(id).await?;
        let run = run.ok_or_else(|| Problem::not_found("run"))?;
        if !RunState::of(&run.counts).is_terminal() {
            return Err(conflict("it has not ended; cancel it first, or wait").into());
        }
        let plan = tx.run_plan(id).await?;
        let again = rest(&plan.iter().map(ended).collect::<Vec<_>>());
        if again.is_empty() {
            return Err(conflict("nothing of it is left to do").into());
        }
        let jobs = tx.run_again(id, &plan, &again).await?;
        let new = NewRun {
            trigger: "replay".to_owned(),
            project: run.project,
            source: run.source,
            correlation_id: run.correlation_id,
            traceparent: Some(act.ids().traceparent()),
        };
        let (run_id, job_ids) = tx.run_create(&new, &jobs).await?;
        let job = |((job, id), again): (
            (&jobengine_store::NewJob, _),
            &jobengine_domain::dag_rest::Again,
        )| {
            let id: jobengine_domain::id::JobId = id;
            JobRetried {
                key: job.key.clone(),
                job_id: id.0,
                replay_of: plan[again.node].job.0,
            }
        };
        let retried = RunRetried {
            run_id: run_id.0,
            retry_of: id.0,
            jobs: jobs.iter().zip(job_ids).zip(&again).map(job).collect(),
        };
        let location = format!("/api/v1/orchestrator/runs/{run_id}");
        Ok(Done::created(retried)
            .header(LOCATION, &location)
            .of("run", run_id))
    })
    .await
}

fn ended(node: &PlanNode) -> EndedNode {
    EndedNode {
        end: node.state,
        parents: node.parents.clone(),
    }
}
