//! Events: what happened, in commit order.

use jobengine_domain::id::{EventId, JobId, RunId};
use jobengine_domain::time::Timestamp;
use uuid::Uuid;

use crate::caller::Tx;
use crate::change::Place;
use crate::draw::draw;
use crate::error::StoreError;
use crate::ticket::unsigned;
use crate::ts::Ts;

/// One event.
#[derive(Debug, Clone)]
pub struct EventRecord {
    /// Where it stands in the tenant's stream.
    pub place: Place,
    /// Its id.
    pub id: EventId,
    /// `job.submitted`, `job.leased`, `job.succeeded`, `run.finished`, …
    pub kind: String,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The run it is about.
    pub run: Option<RunId>,
    /// The job it is about.
    pub job: Option<JobId>,
    /// The attempt it is about.
    pub attempt: Option<u32>,
    /// Why, in a word.
    pub reason: Option<String>,
}

impl Tx {
    /// Writes one event of a run or of the tenant.
    pub(crate) async fn event_write(
        &self,
        kind: &str,
        run: Option<RunId>,
        reason: Option<&str>,
    ) -> Result<(), StoreError> {
        let id: EventId = draw(self.now());
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 6] = [
            &self.tenant().0,
            &id.0,
            &kind,
            &Ts(self.now()),
            &run.map(|run| run.0),
            &reason,
        ];
        self.execute(include_str!("event/write.sql"), &params)
            .await?;
        Ok(())
    }

    /// The next events after a place, at most `limit`, in commit order and without gaps.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events_page(
        &self,
        after: &Place,
        limit: u32,
    ) -> Result<Vec<EventRecord>, StoreError> {
        let (txid, last) = after.parts();
        let rows = self
            .query(
                include_str!("event/page.sql"),
                &[&txid, &last, &i64::from(limit)],
            )
            .await?;
        rows.iter()
            .map(|row| {
                let attempt: Option<i32> = row.get("attempt");
                let id: Uuid = row.get("event_id");
                Ok(EventRecord {
                    place: Place::new(row.get("txid"), id),
                    id: EventId(id),
                    kind: row.get("kind"),
                    occurred_at: row.get::<_, Ts>("occurred_at").0,
                    run: row.get::<_, Option<Uuid>>("run_id").map(RunId),
                    job: row.get::<_, Option<Uuid>>("job_id").map(JobId),
                    attempt: attempt
                        .map(|attempt| unsigned(attempt, "event.attempt"))
                        .transpose()?,
                    reason: row.get("reason"),
                })
            })
            .collect()
    }
}
