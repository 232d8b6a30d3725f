//! Children of ended jobs: unblocked, skipped or still waiting, in their parents' transaction.

use std::collections::BTreeMap;

use jobengine_domain::dag::EdgePolicy;
use jobengine_domain::id::JobId;
use jobengine_domain::state::{Event, JobState};
use jobengine_domain::time::Timestamp;
use uuid::Uuid;

use crate::caller::Tx;
use crate::error::StoreError;
use crate::settle::Move;
use crate::ticket::Ticket;
use crate::ts::Ts;

/// A child with what its parents' ends mean to it.
struct Child {
    ticket: Ticket,
    not_before: Option<Timestamp>,
    parents_left: i32,
    allowed: i32,
    refused: bool,
}

impl Tx {
    /// Decides the children of the jobs that `moves` ended; the answer is the children's own moves.
    pub(crate) async fn children_decide(&self, moves: &[Move]) -> Result<Vec<Move>, StoreError> {
        let ends: BTreeMap<JobId, JobState> = moves
            .iter()
            .filter(|step| step.ticket.has_children && step.to.is_terminal())
            .map(|step| (step.ticket.job, step.to))
            .collect();
        if ends.is_empty() {
            return Ok(Vec::new());
        }
        let children = self.children_of(&ends).await?;
        let (mut decided, mut gone) = (Vec::new(), Vec::new());
        let (mut waiting, mut fewer) = (Vec::new(), Vec::new());
        for child in children.into_values() {
            let event = if child.refused {
                Event::ParentsRefused
            } else if child.allowed == child.parents_left {
                Event::ParentsMet {
                    not_before: child.not_before,
                }
            } else {
                waiting.push(child.ticket.job.0);
                fewer.push(child.allowed);
                continue;
            };
            let to = JobState::Blocked
                .apply(&child.ticket.rules()?, event, self.now())
                .expect("a blocked job takes the end of its parents");
            gone.push(child.ticket.job.0);
            let cause = if child.refused {
                "skipped"
            } else {
                "unblocked"
            };
            decided.push(Move {
                ticket: child.ticket,
                held: None,
                to,
                cause,
                report: None,
                class: None,
                detail: None,
                result: None,
            });
        }
        let row = self
            .query_one(include_str!("dag/unblock.sql"), &[&gone, &waiting, &fewer])
            .await?;
        let (left, lowered): (i64, i64) = (row.get("gone"), row.get("fewer"));
        if usize::try_from(left) != Ok(gone.len()) || usize::try_from(lowered) != Ok(waiting.len())
        {
            return Err(StoreError::Stale("a waiting job"));
        }
        Ok(decided)
    }

    async fn children_of(
        &self,
        ends: &BTreeMap<JobId, JobState>,
    ) -> Result<BTreeMap<JobId, Child>, StoreError> {
        let parents: Vec<Uuid> = ends.keys().map(|job| job.0).collect();
        let rows = self
            .query(include_str!("dag/children.sql"), &[&parents])
            .await?;
        let mut children: BTreeMap<JobId, Child> = BTreeMap::new();
        for row in &rows {
            let policy: EdgePolicy =
                row.get::<_, &str>("policy")
                    .parse()
                    .map_err(|_| StoreError::Corrupt {
                        place: "edge.policy",
                    })?;
            let end = ends[&JobId(row.get("parent_id"))];
            let child = children
                .entry(JobId(row.get("job_id")))
                .or_insert_with(|| Child {
                    ticket: Ticket::from_row(row),
                    not_before: row.get::<_, Option<Ts>>("not_before").map(|Ts(at)| at),
                    parents_left: row.get("parents_left"),
                    allowed: 0,
                    refused: false,
                });
            if policy.allows(end) {
                child.allowed += 1;
            } else {
                child.refused = true;
            }
        }
        Ok(children)
    }
}
