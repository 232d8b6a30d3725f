//! Worker sessions as people look at them.

use jobengine_domain::id::{JobId, SessionId};
use jobengine_domain::time::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::caller::Tx;
use crate::error::StoreError;
use crate::progress::{UnderWay, under_way};
use crate::ticket::unsigned;
use crate::ts::Ts;

/// A worker, as its session shows it.
#[derive(Debug, Clone)]
pub struct SessionRecord {
    /// The session.
    pub id: SessionId,
    /// What the worker calls itself.
    pub worker: String,
    /// When it is held to be gone unless it is heard of.
    pub lease_until: Timestamp,
    /// How many jobs it holds.
    pub leases: u64,
    /// How many it does at once, if it says so.
    pub slots: Option<u32>,
}

/// Leases of a session that are shown with it.
const SESSION_LEASES_MAX: u32 = 500;

/// A worker, looked at closely.
#[derive(Debug, Clone)]
pub struct SessionDetail {
    /// As it is listed.
    pub session: SessionRecord,
    /// The principal that opened it.
    pub subject: String,
    /// When that was.
    pub created_at: Timestamp,
    /// Its last heartbeat.
    pub heard_at: Option<Timestamp>,
}

/// An attempt that a worker makes.
#[derive(Debug, Clone)]
pub struct SessionLease {
    /// At which job.
    pub job: JobId,
    /// Its type.
    pub job_type: String,
    /// When it was granted.
    pub granted_at: Timestamp,
    /// What its worker tells of it.
    pub under_way: UnderWay,
}

impl Tx {
    /// Reads a page of worker sessions after one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session_list(
        &self,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let after = after.map_or(Uuid::nil(), |session| session.0);
        let rows = self
            .query(include_str!("list.sql"), &[&after, &i64::from(limit)])
            .await?;
        rows.iter().map(session_record).collect()
    }

    /// Reads one worker session with the attempts it makes; `None` when there is none of that id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session_find(
        &self,
        id: SessionId,
    ) -> Result<Option<(SessionDetail, Vec<SessionLease>)>, StoreError> {
        let limit = i64::from(SESSION_LEASES_MAX);
        let find: [&(dyn tokio_postgres::types::ToSql + Sync); 1] = [&id.0];
        let held: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&id.0, &limit];
        let (session, leases) = tokio::join!(
            biased;
            self.query_opt(include_str!("find.sql"), &find),
            self.query(include_str!("held.sql"), &held)
        );
        let (session, leases) = (session?, leases?);
        session
            .map(|row| {
                let detail = SessionDetail {
                    session: session_record(&row)?,
                    subject: row.get("subject"),
                    created_at: row.get::<_, Ts>("created_at").0,
                    heard_at: row.get::<_, Option<Ts>>("heard_at").map(|Ts(at)| at),
                };
                let leases = leases.iter().map(session_lease).collect::<Result<_, _>>()?;
                Ok((detail, leases))
            })
            .transpose()
    }
}

fn session_record(row: &Row) -> Result<SessionRecord, StoreError> {
    let slots: Option<i32> = row.get("slots");
    Ok(SessionRecord {
        id: SessionId(row.get("session_id")),
        worker: row.get("worker"),
        lease_until: row.get::<_, Ts>("lease_until").0,
        leases: row.get::<_, i64>("leases").unsigned_abs(),
        slots: slots
            .map(|slots| unsigned(slots, "worker_session.slots"))
            .transpose()?,
    })
}

fn session_lease(row: &Row) -> Result<SessionLease, StoreError> {
    Ok(SessionLease {
        job: JobId(row.get("job_id")),
        job_type: row.get("job_type"),
        granted_at: row.get::<_, Ts>("granted_at").0,
        under_way: under_way(row)?,
    })
}
