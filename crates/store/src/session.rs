//! Worker sessions: one heartbeat holds all leases of a worker; when it stops, they end.

mod heartbeat;
mod reap;

pub use heartbeat::{Beat, Directive, Heartbeat};

use std::collections::BTreeMap;

use jobengine_domain::digest::Digest;
use jobengine_domain::id::{JobId, SessionId};
use jobengine_domain::lease::{Fence, LeaseMs};
use jobengine_domain::time::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::caller::Tx;
use crate::error::StoreError;
use crate::job::digest;
use crate::progress::{UnderWay, under_way};
use crate::ticket::signed;
use crate::ts::Ts;

/// A session as its worker opens it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkerSession {
    /// Made by the worker.
    pub id: SessionId,
    /// What the worker calls itself.
    pub worker: String,
    /// The principal that opens it; only the same one may use it.
    pub subject: String,
}

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
            .query(
                include_str!("session/list.sql"),
                &[&after, &i64::from(limit)],
            )
            .await?;
        Ok(rows.iter().map(session_record).collect())
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
            self.query_opt(include_str!("session/find.sql"), &find),
            self.query(include_str!("session/held.sql"), &held)
        );
        let (session, leases) = (session?, leases?);
        session
            .map(|row| {
                let detail = SessionDetail {
                    session: session_record(&row),
                    subject: row.get("subject"),
                    created_at: row.get::<_, Ts>("created_at").0,
                    heard_at: row.get::<_, Option<Ts>>("heard_at").map(|Ts(at)| at),
                };
                let leases = leases.iter().map(session_lease).collect::<Result<_, _>>()?;
                Ok((detail, leases))
            })
            .transpose()
    }

    /// Opens sessions or keeps them open: from now on they live for `lease`. Returns those that do,
    /// each with the digest of the key of its last claim that had one; the others were opened by another
    /// principal. A claim keeps the session, but no lease: what no
    /// heartbeat has held for the time of a lease ends here, because its worker never heard of it and
    /// may go on asking for ever.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] may be repeated.
    pub async fn sessions_open(
        &self,
        sessions: &[WorkerSession],
        lease: LeaseMs,
    ) -> Result<BTreeMap<WorkerSession, Option<Digest>>, StoreError> {
        let ids: Vec<Uuid> = sessions.iter().map(|session| session.id.0).collect();
        let column = |of: fn(&WorkerSession) -> &str| sessions.iter().map(of).collect::<Vec<_>>();
        let rows = self
            .query(
                include_str!("session/open.sql"),
                &[
                    &self.tenant().0,
                    &ids,
                    &column(|session| &session.worker),
                    &column(|session| &session.subject),
                    &signed(lease.get()),
                    &Ts(self.now()),
                ],
            )
            .await?;
        let unheard: Vec<Uuid> = rows
            .iter()
            .filter(|row| row.get("unheard"))
            .map(|row| row.get("session_id"))
            .collect();
        if !unheard.is_empty() {
            let params: [&(dyn tokio_postgres::types::ToSql + Sync); 2] =
                [&unheard, &Ts(self.now())];
            let lost = self
                .query(include_str!("session/unheard.sql"), &params)
                .await?;
            let lost = lost
                .iter()
                .map(|row| (JobId(row.get("job_id")), Fence(row.get("fence"))));
            self.leases_expire(&lost.collect::<Vec<_>>()).await?;
        }
        let open: BTreeMap<(Uuid, &str), Option<&[u8]>> = rows
            .iter()
            .map(|row| {
                let session = (row.get("session_id"), row.get("subject"));
                (session, row.get("last_claim"))
            })
            .collect();
        let is_open = |session: &WorkerSession| {
            let last_claim = open.get(&(session.id.0, session.subject.as_str()))?;
            let last_claim = last_claim.map(|hash| digest(hash, "claim_answer.key_hash"));
            Some(last_claim.transpose().map(|last| (session.clone(), last)))
        };
        sessions.iter().filter_map(is_open).collect()
    }
}

fn session_record(row: &Row) -> SessionRecord {
    SessionRecord {
        id: SessionId(row.get("session_id")),
        worker: row.get("worker"),
        lease_until: row.get::<_, Ts>("lease_until").0,
        leases: row.get::<_, i64>("leases").unsigned_abs(),
    }
}

fn session_lease(row: &Row) -> Result<SessionLease, StoreError> {
    Ok(SessionLease {
        job: JobId(row.get("job_id")),
        job_type: row.get("job_type"),
        granted_at: row.get::<_, Ts>("granted_at").0,
        under_way: under_way(row)?,
    })
}
