//! Events: what happened, in commit order.

mod read;

use jobengine_domain::digest::Digest;
use jobengine_domain::event::{Event, EventType};
use jobengine_domain::id::{EventId, JobId, ProjectId, RunId};
use jobengine_domain::stream::{Cursor, Epoch, Expired, Place, deliverable, resumable};
use jobengine_domain::time::Timestamp;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::caller::Tx;
use crate::connect::Store;
use crate::draw::draw_at;
use crate::error::StoreError;
use crate::ts::Ts;

/// Events looked at for one page: a filter that keeps few of them still answers in bounded time.
pub const EVENTS_SCAN_MAX: u32 = 5_000;

/// One event, and where it stands.
#[derive(Debug, Clone)]
pub struct EventRecord {
    /// Its place in the tenant's stream.
    pub place: Place,
    /// What happened.
    pub event: Event,
}

/// Which events a reader wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of this run.
    pub run: Option<RunId>,
    /// Of this job.
    pub job: Option<JobId>,
    /// Of these types; all when empty.
    pub types: Vec<EventType>,
    /// Of this project.
    pub project: Option<ProjectId>,
}

impl EventFilter {
    /// Whether an event is wanted.
    pub fn takes(&self, event: &Event) -> bool {
        self.run.is_none_or(|run| event.run == Some(run))
            && self
                .job
                .is_none_or(|job| event.job.as_ref().is_some_and(|of| of.id == job))
            && (self.types.is_empty() || self.types.contains(&event.kind))
            && self
                .project
                .is_none_or(|project| event.project == Some(project))
    }
}

/// A page of the stream.
#[derive(Debug, Clone)]
pub struct EventPage {
    /// The wanted events, in commit order.
    pub events: Vec<EventRecord>,
    /// Everything up to here was looked at: where the next page starts.
    pub reached: Place,
    /// Whether there was more to look at.
    pub more: bool,
    /// The history that the places belong to.
    pub epoch: Epoch,
}

/// What bounds the stream at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventBounds {
    /// The history that places belong to.
    pub epoch: Epoch,
    /// The oldest transaction still open: what lies below it is deliverable.
    pub horizon: u64,
    /// The last event that was trimmed.
    pub trimmed_to: Option<Place>,
}

impl EventBounds {
    /// Whether a reader may go on from its cursor.
    ///
    /// # Errors
    /// [`Expired`] also for a place that this history has not reached: it is of a future that was lost.
    pub fn check(&self, cursor: &Cursor) -> Result<(), Expired> {
        if !deliverable(self.horizon, cursor.place) {
            return Err(Expired::OtherHistory);
        }
        resumable(cursor, self.trimmed_to, self.epoch)
    }
}

impl Tx {
    /// Writes one event of a run or of the tenant, which happens now.
    pub(crate) async fn event_write(
        &self,
        kind: EventType,
        run: Option<RunId>,
        reason: Option<&str>,
    ) -> Result<(), StoreError> {
        self.event_write_at(kind, run, reason, self.now()).await
    }

    /// Writes one event of a run or of the tenant, which happens at a moment of its life.
    pub(crate) async fn event_write_at(
        &self,
        kind: EventType,
        run: Option<RunId>,
        reason: Option<&str>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let id = EventId(draw_at(at));
        let (actor, scope) = self.actor();
        let params: [&(dyn ToSql + Sync); 8] = [
            &self.tenant().0,
            &id.0,
            &kind.as_str(),
            &Ts(at),
            &run.map(|run| run.0),
            &reason,
            &actor,
            &scope,
        ];
        self.execute(include_str!("event/write.sql"), &params)
            .await?;
        self.note_event();
        Ok(())
    }

    /// The next events after a place, at most `limit`, in commit order and without gaps: from the oldest
    /// that is kept, when the place lies before it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events_page(
        &self,
        after: &Place,
        limit: u32,
    ) -> Result<Vec<EventRecord>, StoreError> {
        let page = self.page(after, &EventFilter::default(), limit).await?;
        Ok(page.events)
    }

    /// The next wanted events after a cursor, at most `limit`, in commit order and without gaps. Looks at
    /// [`EVENTS_SCAN_MAX`] events at most: a page may hold none although more are to come.
    ///
    /// # Errors
    /// [`StoreError::Expired`] when events after the cursor are no longer kept.
    pub async fn events_after(
        &self,
        cursor: &Cursor,
        filter: &EventFilter,
        limit: u32,
    ) -> Result<EventPage, StoreError> {
        let page = self.page(&cursor.place, filter, limit).await?;
        // After the page, so that nothing that was trimmed meanwhile can be missing from it unnoticed.
        let bounds = self.events_bounds().await?;
        bounds.check(cursor).map_err(StoreError::Expired)?;
        Ok(EventPage {
            epoch: bounds.epoch,
            ..page
        })
    }

    /// What bounds the stream at the moment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events_bounds(&self) -> Result<EventBounds, StoreError> {
        let row = self
            .query_one(include_str!("event/bounds.sql"), &[])
            .await?;
        let history: &str = row.get("history");
        let first = Digest::of(history.as_bytes());
        let first = first.as_bytes().first_chunk::<8>();
        let epoch = u64::from_be_bytes(*first.expect("a digest has 32 bytes"));
        let trimmed: Option<&str> = row.get("trimmed_txid");
        Ok(EventBounds {
            epoch: Epoch(epoch),
            horizon: number(row.get("horizon"))?,
            trimmed_to: trimmed
                .map(|txid| place(txid, row.get("trimmed_id")))
                .transpose()?,
        })
    }

    /// Where the events of a run or job begin; `None` when it has none that is not over already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events_origin(&self, filter: &EventFilter) -> Result<Option<Place>, StoreError> {
        let row = match (filter.job, filter.run) {
            (Some(job), _) => {
                self.query_opt(include_str!("event/origin_of_job.sql"), &[&job.0])
                    .await?
            }
            (None, Some(run)) => {
                self.query_opt(include_str!("event/origin_of_run.sql"), &[&run.0])
                    .await?
            }
            (None, None) => None,
        };
        row.map(|row| number(row.get("txid")).map(Place::before))
            .transpose()
    }
}

impl Store {
    /// The oldest transaction that is still open: what lies below it is deliverable.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events_horizon(&self) -> Result<u64, StoreError> {
        let mut sched = self.sched().await?;
        let statement = sched
            .prepare_cached(include_str!("event/horizon.sql"))
            .await?;
        let row = sched.query_one(&statement, &[]).await?;
        number(row.get("horizon"))
    }

    /// Drops the events of whole days that lie before a moment, which is at least 24 hours ago, and leaves
    /// word of the last of them; returns how many partitions went.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events_trim(&self, before: Timestamp) -> Result<usize, StoreError> {
        let row = self
            .sched()
            .await?
            .query_one(include_str!("event/trim.sql"), &[&Ts(before)])
            .await?;
        let dropped: i32 = row.get("dropped");
        Ok(dropped.unsigned_abs() as usize)
    }
}

/// A place, as a row names it.
pub(crate) fn place(txid: &str, row: Uuid) -> Result<Place, StoreError> {
    number(txid).map(|txid| Place { txid, row })
}

/// The number of a transaction, as PostgreSQL writes it.
pub(crate) fn number(txid: &str) -> Result<u64, StoreError> {
    txid.parse().map_err(|_| StoreError::Corrupt {
        place: "event.txid",
    })
}
