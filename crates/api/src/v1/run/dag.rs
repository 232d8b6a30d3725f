//! `GET /runs/{runId}/dag`

use axum::Json;
use axum::extract::State;
use jobengine_domain::dag_path::layout;
use jobengine_domain::id::RunId;
use jobengine_store::PlanNode;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// The jobs of a run, and who waits for whom
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunDag {
    /// The run.
    run_id: Uuid,
    /// Its jobs in topological order.
    nodes: Vec<DagNode>,
    /// Who waits for whom, in the order of the children and then of the parents.
    edges: Vec<DagEdge>,
    /// How many levels there are.
    levels: u32,
    /// The jobs of the longest path, first to last: by the time that jobs took from their submit or their
    /// parents' end where all have ended, else by their number.
    critical_path: Vec<Uuid>,
}

/// A job of a run
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DagNode {
    /// The job.
    job_id: Uuid,
    /// Its name within the run.
    key: String,
    /// Its type.
    r#type: String,
    /// Its state.
    #[schema(example = "queued")]
    state: &'static str,
    /// 0 without parents, else one more than the highest of its parents.
    level: u32,
}

/// One job waits for another
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DagEdge {
    /// Who is waited for.
    parent_id: Uuid,
    /// Who waits.
    child_id: Uuid,
    /// How the parent's end is taken: `require`, `always` or `onFailure`.
    #[schema(example = "require")]
    policy: &'static str,
}

/// Read a run's DAG
#[utoipa::path(
    get, path = "/runs/{runId}/dag", operation_id = "run_dag", tag = "runs",
    extensions(("x-scope" = json!("orch:read"))),
    params(("runId" = uuid::Uuid, Path, description = "The run's id")),
    responses(
        (status = 200, description = "Its jobs and edges", body = RunDag),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such run of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(id): PathParams<RunId>,
) -> Result<Json<RunDag>, Problem> {
    let tx = state.store().read(&caller).await?;
    let run = tx.run_find(id).await?;
    let plan = tx.run_plan(id).await?;
    tx.commit().await?;
    run.ok_or_else(|| Problem::not_found("run"))?;
    Ok(Json(RunDag::of(id, &plan)))
}

impl RunDag {
    fn of(run: RunId, plan: &[PlanNode]) -> Self {
        let parents: Vec<Vec<usize>> = plan
            .iter()
            .map(|node| node.parents.iter().map(|(parent, _)| *parent).collect())
            .collect();
        let drawn = layout(&parents, &weights(plan));
        let nodes = plan.iter().zip(&drawn.levels).map(|(node, level)| DagNode {
            job_id: node.job.0,
            key: node.key.clone(),
            r#type: node.job_type.clone(),
            state: node.state.as_str(),
            level: *level,
        });
        let edges = plan.iter().flat_map(|node| {
            node.parents.iter().map(|(parent, policy)| DagEdge {
                parent_id: plan[*parent].job.0,
                child_id: node.job.0,
                policy: policy.as_str(),
            })
        });
        Self {
            run_id: run.0,
            nodes: nodes.collect(),
            edges: edges.collect(),
            levels: drawn.levels.iter().max().map_or(0, |highest| highest + 1),
            critical_path: drawn
                .critical_path
                .iter()
                .map(|at| plan[*at].job.0)
                .collect(),
        }
    }
}

/// What each job weighs on its path: the milliseconds from when its parents let it go to its end, once all
/// have ended; before that, one.
fn weights(plan: &[PlanNode]) -> Vec<u64> {
    if plan.iter().any(|node| node.ended_at.is_none()) {
        return vec![1; plan.len()];
    }
    let weight = |node: &PlanNode| {
        let free = node
            .parents
            .iter()
            .filter_map(|(parent, _)| plan[*parent].ended_at);
        let free = free.max().unwrap_or(node.created_at);
        node.ended_at.map_or(1, |end| end.ms_since(free).max(1))
    };
    plan.iter().map(weight).collect()
}
