//! Prioritize: another band for a job that has not ended, at the same virtual time.

use jobengine_domain::id::{EventId, JobId};
use jobengine_domain::priority::Priority;

use crate::caller::Tx;
use crate::draw::draw;
use crate::error::StoreError;
use crate::retry::Wish;
use crate::ts::Ts;

impl Tx {
    /// Gives a job another band. A job under way goes by it when it is tried again. `None` when this
    /// tenant has none of that id.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the job moved meanwhile: repeat.
    pub async fn job_prioritize(
        &self,
        job: JobId,
        band: Priority,
    ) -> Result<Option<Wish>, StoreError> {
        let Some(standing) = self.job_standing(job).await? else {
            return Ok(None);
        };
        if standing.state.is_terminal() {
            return Ok(Some(Wish::Refused(standing.state)));
        }
        let row = self
            .query_one(include_str!("prioritize/find.sql"), &[&job.0])
            .await?;
        let submitted: Priority =
            row.get::<_, &str>("priority")
                .parse()
                .map_err(|_| StoreError::Corrupt {
                    place: "job.priority",
                })?;
        let key = band.rekey(row.get("sort_key"), submitted);
        let event: EventId = draw(self.now());
        let (actor, scope) = self.actor();
        let row = self
            .query_opt(
                include_str!("prioritize/move.sql"),
                &[
                    &self.tenant().0,
                    &job.0,
                    &key,
                    &Ts(self.now()),
                    &band.as_str(),
                    &event.0,
                    &actor,
                    &scope,
                ],
            )
            .await?
            .ok_or(StoreError::Stale("the job"))?;
        self.note_event();
        if row.get("ready") {
            self.note_ready(row.get("job_type"), key);
        }
        Ok(Some(Wish::Done(standing.state)))
    }
}
