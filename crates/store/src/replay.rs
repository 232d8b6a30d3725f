//! Replay: a new job that repeats one that has ended.

use jobengine_domain::id::{JobId, ProjectId};
use jobengine_domain::priority::Priority;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::caller::Tx;
use crate::error::StoreError;
use crate::job::NewJob;
use crate::ticket::unsigned;
use crate::ts::Ts;

/// Who replays, and why: what the dead letters of the old jobs keep.
#[derive(Debug, Clone, Copy)]
pub struct Replayed<'a> {
    /// The principal.
    pub by: &'a str,
    /// Why.
    pub reason: Option<&'a str>,
    /// What the payload has otherwise, as JSON; `None` when it is the same.
    pub payload_diff: Option<&'a str>,
}

impl Tx {
    /// What replays of some jobs would submit: the same payload and metadata in a high band, without run,
    /// start or deadline. Only those that have ended are told, in the order of their ids.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn replays(&self, jobs: &[JobId]) -> Result<Vec<NewJob>, StoreError> {
        let jobs: Vec<Uuid> = jobs.iter().map(|job| job.0).collect();
        let rows = self
            .query(include_str!("replay/find.sql"), &[&jobs])
            .await?;
        rows.iter().map(replay).collect()
    }

    /// Submits replays, as [`Tx::replays`] told them or with other payloads, and decides the dead letters
    /// of the jobs they repeat. Returns the new jobs in their order.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the tenant does not exist.
    pub async fn jobs_replay(
        &self,
        replays: &[NewJob],
        replayed: &Replayed<'_>,
    ) -> Result<Vec<JobId>, StoreError> {
        let ids = self.jobs_submit(None, replays).await?;
        let repeated: Vec<Uuid> = replays
            .iter()
            .filter_map(|job| job.replay_of.map(|job| job.0))
            .collect();
        let new: Vec<Uuid> = ids.iter().map(|job| job.0).collect();
        let params: [&(dyn ToSql + Sync); 6] = [
            &repeated,
            &new,
            &Ts(self.now()),
            &replayed.by,
            &replayed.reason,
            &replayed.payload_diff,
        ];
        self.execute(include_str!("replay/decide.sql"), &params)
            .await?;
        Ok(ids)
    }
}

pub(crate) fn replay(row: &Row) -> Result<NewJob, StoreError> {
    Ok(NewJob {
        key: String::new(),
        job_type: row.get("job_type"),
        priority: Priority::High,
        payload: row.get("payload"),
        max_attempts: unsigned(row.get("max_attempts"), "job.max_attempts")?,
        max_crashes: unsigned(row.get("max_crashes"), "job.max_crashes")?,
        not_before: None,
        deadline: None,
        correlation_id: row.get("correlation_id"),
        project: row.get::<_, Option<Uuid>>("project_id").map(ProjectId),
        source: row.get("source"),
        tags: row.get("tags"),
        traceparent: row.get("traceparent"),
        replay_of: Some(JobId(row.get("job_id"))),
        parents: Vec::new(),
    })
}
