//! `POST /runs/{runId}:retry`

use axum::extract::State;
use axum::http::header::LOCATION;
use axum::response::Response;
use jobengine_domain::dag_rest::{EndedNode, rest};
use jobengine_domain::id::RunId;
use jobengine_domain::run::RunState;
use jobengine_impact::segment::SegmentSize;
use jobengine_store::{ImpactRunRecord, NewRun, Owing, PlanNode, StoreError, Tx};
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
///
/// Of an impact run the new run (trigger `delta`) evaluates the images that it left out and that no later run has
/// evaluated, at once instead of when they are due: at most 20,000 of those left out equally often; ask again for
/// more. It is planned from what stands now, in other segments, so `jobs` is empty: they are read at the new run.
#[utoipa::path(
    post, path = "/runs/{runId}:retry", operation_id = "run_retry", tag = "runs",
    extensions(("x-scope" = json!("orch:operate")), ("x-effect" = json!("audited"))),
    params(("runId" = uuid::Uuid, Path, description = "The id of a run that has ended")),
    responses(
        (status = 201, description = "The new run is in the ledger", body = RunRetried,
         headers(("Location" = String, description = "The new run"))),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such run of this tenant (NOT_FOUND)"),
        (status = 409, description = "It has not ended, nothing of it is left to do, or a later run does it already (CONFLICT)"),
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
        if let Some(left) = tx.impact_run_find(id).await? {
            let run_id = evaluate_again(&tx, &left, act.ids().traceparent()).await??;
            let retried = RunRetried {
                run_id: run_id.0,
                retry_of: id.0,
                jobs: Vec::new(),
            };
            return Ok(created(retried, run_id));
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
        Ok(created(retried, run_id))
    })
    .await
}

fn created(retried: RunRetried, run: RunId) -> Done {
    let location = format!("/api/v1/orchestrator/runs/{run}");
    Done::created(retried)
        .header(LOCATION, &location)
        .of("run", run)
}

/// Plans what an impact run left out: its jobs stand for segments, and those are no other run's.
async fn evaluate_again(
    tx: &Tx,
    left: &ImpactRunRecord,
    traceparent: String,
) -> Result<Result<RunId, Problem>, StoreError> {
    let conflict = |detail: &str| Ok(Err(Problem::new(Code::Conflict, detail)));
    if left.completed_at.is_none() {
        return conflict("its jobs have ended and its findings take effect in a moment; ask again");
    }
    let owing = Owing::LeftBy(left.generation);
    let size = SegmentSize::default();
    if let Some(paying) = tx.debts_plan(owing, size, Some(traceparent)).await? {
        return Ok(Ok(paying.run));
    }
    let debts = tx.debts_of_run(left.generation).await?;
    match debts.first().and_then(|debt| debt.paid_by) {
        Some(run) => conflict(&format!("run {run} evaluates what it left out")),
        None => conflict(
            "nothing of it is left to do: it left nothing out, or later runs have evaluated it",
        ),
    }
}

fn ended(node: &PlanNode) -> EndedNode {
    EndedNode {
        end: node.state,
        parents: node.parents.clone(),
    }
}
