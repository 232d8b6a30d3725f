//! Retry: the next attempt of a job now, and not after its backoff.

use jobengine_domain::id::{EventId, JobId};
use jobengine_domain::retry::AttemptLimits;
use jobengine_domain::state::{Event, JobRules, JobState};

use crate::caller::Tx;
use crate::draw::draw;
use crate::error::StoreError;
use crate::ts::Ts;

/// What became of the wish to act on a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Done: the job's state now.
    Done(JobState),
    /// In this state there is nothing to do.
    Refused(JobState),
}

impl Tx {
    /// Lets the next attempt of a job begin now; `None` when this tenant has none of that id.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the job moved meanwhile: repeat.
    pub async fn job_retry(&self, job: JobId) -> Result<Option<Wish>, StoreError> {
        let Some(standing) = self.job_standing(job).await? else {
            return Ok(None);
        };
        let rules = JobRules {
            job,
            // A retry that is wished for is no attempt more: the limits were held when it was queued.
            limits: AttemptLimits {
                attempts: u32::MAX,
                crashes: u32::MAX,
            },
            deadline: None,
        };
        let from = standing.state;
        let (Ok(to), JobState::Queued { ready_at, .. }) =
            (from.apply(&rules, Event::RetryRequested, self.now()), from)
        else {
            return Ok(Some(Wish::Refused(from)));
        };
        let event: EventId = draw(self.now());
        let (actor, scope) = self.actor();
        let row = self
            .query_opt(
                include_str!("retry/move.sql"),
                &[
                    &self.tenant().0,
                    &job.0,
                    &Ts(ready_at),
                    &Ts(self.now()),
                    &event.0,
                    &actor,
                    &scope,
                ],
            )
            .await?
            .ok_or(StoreError::Stale("the job"))?;
        self.note_event();
        self.note_ready(row.get("job_type"), row.get("sort_key"));
        Ok(Some(Wish::Done(to)))
    }
}
