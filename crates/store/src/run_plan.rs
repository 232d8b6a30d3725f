//! The plan of a run: its jobs, who waits for whom, and what is left of it when it has ended.

use std::collections::BTreeMap;

use jobengine_domain::dag::EdgePolicy;
use jobengine_domain::dag_rest::Again;
use jobengine_domain::id::{JobId, RunId};
use jobengine_domain::state::JobState;
use jobengine_domain::time::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::caller::Tx;
use crate::error::StoreError;
use crate::job::NewJob;
use crate::replay::replay;
use crate::standing::job_state;
use crate::ts::Ts;

/// A job of a run.
#[derive(Debug, Clone)]
pub struct PlanNode {
    /// Which one.
    pub job: JobId,
    /// Its name within the run.
    pub key: String,
    /// Its type.
    pub job_type: String,
    /// Where it stands.
    pub state: JobState,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Its parents, as places in the plan, each before its own, and how it takes their ends.
    pub parents: Vec<(usize, EdgePolicy)>,
}

impl Tx {
    /// The jobs of a run with their edges, parents first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn run_plan(&self, run: RunId) -> Result<Vec<PlanNode>, StoreError> {
        let rows = self
            .query(include_str!("run_plan/nodes.sql"), &[&run.0])
            .await?;
        let mut nodes: Vec<PlanNode> = rows
            .iter()
            .map(|row| node(row, self.now()))
            .collect::<Result<_, _>>()?;
        let places: BTreeMap<Uuid, usize> = nodes
            .iter()
            .enumerate()
            .map(|(place, node)| (node.job.0, place))
            .collect();
        let jobs: Vec<Uuid> = places.keys().copied().collect();
        let rows = self
            .query(include_str!("run_plan/edges.sql"), &[&jobs])
            .await?;
        let corrupt = |place| StoreError::Corrupt { place };
        for row in &rows {
            let place = |column: &str| places.get(&row.get(column)).copied();
            let (parent, child) = place("parent_id")
                .zip(place("child_id"))
                .filter(|(parent, child)| parent < child)
                .ok_or_else(|| corrupt("edge.child_id"))?;
            let policy = row.get::<_, &str>("policy").parse();
            let policy = policy.map_err(|_| corrupt("edge.policy"))?;
            nodes[child].parents.push((parent, policy));
        }
        Ok(nodes)
    }

    /// The jobs with which a run is retried: `again` names them in the run's plan.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn run_again(
        &self,
        run: RunId,
        plan: &[PlanNode],
        again: &[Again],
    ) -> Result<Vec<NewJob>, StoreError> {
        let jobs: Vec<Uuid> = again.iter().map(|it| plan[it.node].job.0).collect();
        let rows = self
            .query(include_str!("run_plan/retried.sql"), &[&run.0, &jobs])
            .await?;
        if rows.len() < again.len() {
            return Err(StoreError::Stale("a job of the run"));
        }
        rows.iter()
            .zip(again)
            .map(|(row, again)| {
                let priority = row.get::<_, &str>("priority").parse();
                Ok(NewJob {
                    key: row.get("job_key"),
                    priority: priority.map_err(|_| StoreError::Corrupt {
                        place: "job.priority",
                    })?,
                    parents: again.parents.clone(),
                    ..replay(row)?
                })
            })
            .collect()
    }
}

fn node(row: &Row, now: Timestamp) -> Result<PlanNode, StoreError> {
    Ok(PlanNode {
        job: JobId(row.get("job_id")),
        key: row.get("job_key"),
        job_type: row.get("job_type"),
        state: job_state(row, now)?,
        created_at: row.get::<_, Ts>("created_at").0,
        ended_at: row.get::<_, Option<Ts>>("ended_at").map(|Ts(at)| at),
        parents: Vec::new(),
    })
}
