//! A page of the stream: the statement's rows, held against the rule and made events.

use std::collections::BTreeMap;

use jobengine_domain::event::{
    Actor, EVENT_ARTIFACTS_MAX, Event, EventArtifact, EventJob, EventType,
};
use jobengine_domain::id::{EventId, JobId, ProjectId, RunId, SessionId};
use jobengine_domain::stream::{Epoch, Place, deliverable};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{EVENTS_SCAN_MAX, EventFilter, EventPage, EventRecord, number, place};
use crate::caller::Tx;
use crate::error::StoreError;
use crate::job::digest;
use crate::ticket::unsigned;
use crate::ts::Ts;

impl Tx {
    /// The wanted events after a place; their epoch is left to the caller.
    pub(super) async fn page(
        &self,
        after: &Place,
        filter: &EventFilter,
        limit: u32,
    ) -> Result<EventPage, StoreError> {
        // Without a filter every event that is looked at is wanted.
        let scan = if *filter == EventFilter::default() {
            limit
        } else {
            EVENTS_SCAN_MAX
        };
        let types: Vec<&str> = filter.types.iter().map(|kind| kind.as_str()).collect();
        let rows = self
            .query(
                include_str!("page.sql"),
                &[
                    &after.txid.to_string(),
                    &after.row,
                    &i64::from(limit),
                    &i64::from(scan),
                    &filter.run.map(|run| run.0),
                    &filter.job.map(|job| job.0),
                    &Some(types).filter(|types| !types.is_empty()),
                    &filter.project.map(|project| project.0),
                ],
            )
            .await?;
        let bounds = rows.first().ok_or(StoreError::Corrupt { place: "event" })?;
        let horizon = number(bounds.get("horizon"))?;
        let mut events = Vec::with_capacity(rows.len());
        let mut ended = Vec::new();
        for row in &rows {
            let Some(record) = self.record(row, horizon)? else {
                continue;
            };
            let fence: Option<i64> = row.get("fence");
            if let (Some(fence), Some(job)) = (fence, &record.event.job)
                && !matches!(
                    record.event.kind,
                    EventType::JobLeased | EventType::JobStarted
                )
            {
                ended.push((events.len(), job.id, fence));
            }
            events.push(record);
        }
        self.artifacts_into(&mut events, &ended).await?;
        let scanned: i64 = bounds.get("scanned");
        let full = events.len() >= limit as usize;
        let cut = scanned >= i64::from(scan);
        let last: Option<&str> = bounds.get("last_txid");
        let reached = match (events.last(), last) {
            (Some(record), _) if full => record.place,
            (_, Some(txid)) if cut => place(txid, bounds.get("last_id"))?,
            _ => Place::end_below(horizon).max(*after),
        };
        Ok(EventPage {
            events,
            reached,
            more: full || cut,
            epoch: Epoch(0),
        })
    }

    /// One event; `None` of a row that only carries the bounds. It is held against the rule: the statement
    /// must not have passed the horizon.
    fn record(&self, row: &Row, horizon: u64) -> Result<Option<EventRecord>, StoreError> {
        let Some(txid) = row.get::<_, Option<&str>>("txid") else {
            return Ok(None);
        };
        let id: Uuid = row.get("event_id");
        let place = place(txid, id)?;
        if !deliverable(horizon, place) {
            return Err(StoreError::Corrupt {
                place: "event.txid",
            });
        }
        let kind: &str = row.get("kind");
        let Ok(kind) = kind.parse() else {
            // A newer replica wrote it during an upgrade: readers there are told.
            tracing::debug!(event.id = %id, kind, "an event of an unknown type is passed over");
            return Ok(None);
        };
        let occurred_at = row.get::<_, Ts>("occurred_at").0;
        let began_at: Option<Ts> = row.get("began_at");
        let actor: Option<String> = row.get("actor");
        let attempt: Option<i32> = row.get("attempt");
        Ok(Some(EventRecord {
            place,
            event: Event {
                id: EventId(id),
                kind,
                occurred_at,
                tenant: self.tenant(),
                project: row.get::<_, Option<Uuid>>("project_id").map(ProjectId),
                correlation_id: row.get("correlation_id"),
                actor: actor.map(|subject| Actor {
                    subject,
                    scope: row.get("scope"),
                }),
                run: row.get::<_, Option<Uuid>>("run_id").map(RunId),
                job: event_job(row)?,
                attempt: attempt
                    .map(|attempt| unsigned(attempt, "event.attempt"))
                    .transpose()?,
                lease: lease(row)?,
                session: row.get::<_, Option<Uuid>>("session_id").map(SessionId),
                reason: row.get("reason"),
                artifacts: Vec::new(),
                duration_ms: began_at.map(|Ts(began)| occurred_at.ms_since(began)),
                backoff_ms: row
                    .get::<_, Option<i64>>("backoff_ms")
                    .map(i64::unsigned_abs),
            },
        }))
    }

    /// Adds what attempts that ended had made: `ended` names the event, its job and its fence.
    async fn artifacts_into(
        &self,
        events: &mut [EventRecord],
        ended: &[(usize, JobId, i64)],
    ) -> Result<(), StoreError> {
        if ended.is_empty() {
            return Ok(());
        }
        let jobs: Vec<Uuid> = ended.iter().map(|(_, job, _)| job.0).collect();
        let fences: Vec<i64> = ended.iter().map(|(.., fence)| *fence).collect();
        let most = i64::try_from(EVENT_ARTIFACTS_MAX).expect("a small number");
        let rows = self
            .query(
                include_str!("artifacts.sql"),
                &[&jobs, &fences, &self.tenant().0, &most],
            )
            .await?;
        let at: BTreeMap<(JobId, i64), usize> = ended
            .iter()
            .map(|(at, job, fence)| ((*job, *fence), *at))
            .collect();
        for row in &rows {
            let made = (JobId(row.get("job_id")), row.get("fence"));
            let Some(record) = at.get(&made).and_then(|at| events.get_mut(*at)) else {
                continue;
            };
            if record.event.artifacts.len() < EVENT_ARTIFACTS_MAX {
                record.event.artifacts.push(EventArtifact {
                    name: row.get("name"),
                    digest: digest(row.get("digest"), "artifact.digest")?,
                    mime: row.get("media_type"),
                });
            }
        }
        Ok(())
    }
}

fn event_job(row: &Row) -> Result<Option<EventJob>, StoreError> {
    let id: Option<Uuid> = row.get("job_id");
    let job_type: Option<String> = row.get("job_type");
    let payload: Option<&[u8]> = row.get("payload_digest");
    match (id, job_type, payload) {
        (Some(id), Some(job_type), Some(payload)) => Ok(Some(EventJob {
            id: JobId(id),
            job_type,
            payload_digest: digest(payload, "job.payload_digest")?,
        })),
        _ => Ok(None),
    }
}

fn lease(row: &Row) -> Result<Option<Uuid>, StoreError> {
    let name: Option<&[u8]> = row.get("lease_name");
    name.map(|name| {
        Uuid::from_slice(name).map_err(|_| StoreError::Corrupt {
            place: "lease.token_hash",
        })
    })
    .transpose()
}
