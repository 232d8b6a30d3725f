//! Worker sessions: one heartbeat holds all leases of a worker; when it stops, they end.

use std::collections::{BTreeMap, BTreeSet};

use jobengine_domain::caller::Caller;
use jobengine_domain::class::FailureClass;
use jobengine_domain::id::{JobId, SessionId, TenantId};
use jobengine_domain::lease::LeaseMs;
use jobengine_domain::state::Event;
use jobengine_domain::time::Timestamp;
use uuid::Uuid;

use crate::caller::Tx;
use crate::connect::Store;
use crate::error::{StoreError, expect_one};
use crate::lease::LeaseToken;
use crate::settle::Move;
use crate::ticket::{signed, unsigned};
use crate::ts::Ts;

/// What a heartbeat is answered for one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directive {
    /// Go on.
    Continue,
    /// Stop: somebody else may hold the job by now; nothing you report counts.
    LeaseLost,
}

/// What a heartbeat is answered.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    /// The lease from now on, in milliseconds; `None` when the session is over and holds nothing.
    pub lease_ms: Option<u32>,
    /// One for each job the worker named, in its order.
    pub directives: Vec<Directive>,
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
        let session = |row: &tokio_postgres::Row| SessionRecord {
            id: SessionId(row.get("session_id")),
            worker: row.get("worker"),
            lease_until: row.get::<_, Ts>("lease_until").0,
            leases: row.get::<_, i64>("leases").unsigned_abs(),
        };
        Ok(rows.iter().map(session).collect())
    }

    /// Opens a session or keeps it open: from now on it lives for `lease`.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when another principal opened a session of this id.
    pub async fn session_open(
        &self,
        session: SessionId,
        worker: &str,
        lease: LeaseMs,
    ) -> Result<(), StoreError> {
        let rows = self
            .execute(
                include_str!("session/open.sql"),
                &[
                    &self.tenant().0,
                    &session.0,
                    &worker,
                    &self.subject(),
                    &signed(lease.get()),
                    &Ts(self.now()),
                ],
            )
            .await?;
        expect_one(rows, "the worker session")
    }

    /// Takes a heartbeat: holds every lease of the session, tells which of the named ones are lost,
    /// and ends those the worker does not know of (their claim's answer never arrived).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session_heartbeat(
        &self,
        session: SessionId,
        held: &[(JobId, LeaseToken)],
    ) -> Result<Heartbeat, StoreError> {
        let row = self
            .query_opt(
                include_str!("session/extend.sql"),
                &[&session.0, &self.subject(), &Ts(self.now())],
            )
            .await?;
        let Some(row) = row else {
            return Ok(Heartbeat {
                lease_ms: None,
                directives: vec![Directive::LeaseLost; held.len()],
            });
        };
        let lease_ms = unsigned(row.get("lease_ms"), "worker_session.lease_ms")?;
        let rows = self
            .query(include_str!("session/leases.sql"), &[&session.0])
            .await?;
        let leases: BTreeMap<JobId, _> = rows
            .iter()
            .map(|row| (JobId(row.get("job_id")), row))
            .collect();
        let directives = held.iter().map(|(job, token)| match leases.get(job) {
            Some(row) if token.matches(row.get("token_hash")) => Directive::Continue,
            _ => Directive::LeaseLost,
        });
        let directives = directives.collect();
        let known: BTreeSet<JobId> = held.iter().map(|(job, _)| *job).collect();
        let unknown: Vec<Uuid> = leases
            .iter()
            .filter(|(job, row)| {
                let Ts(granted_at) = row.get("granted_at");
                !known.contains(job) && self.now().ms_since(granted_at) > u64::from(lease_ms)
            })
            .map(|(job, _)| job.0)
            .collect();
        if !unknown.is_empty() {
            self.leases_expire(&unknown).await?;
        }
        Ok(Heartbeat {
            lease_ms: Some(lease_ms),
            directives,
        })
    }

    /// Ends the attempts of sessions that no heartbeat holds any more, at most `limit` of them.
    /// Returns how many ended.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] may be repeated.
    pub async fn sessions_reap(&self, limit: u32) -> Result<usize, StoreError> {
        let rows = self
            .query(
                include_str!("session/reap.sql"),
                &[&Ts(self.now()), &i64::from(limit)],
            )
            .await?;
        let jobs: Vec<Uuid> = rows.iter().filter_map(|row| row.get("job_id")).collect();
        let ended = self.leases_expire(&jobs).await?;
        let sessions: BTreeSet<Uuid> = rows.iter().map(|row| row.get("session_id")).collect();
        let sessions: Vec<Uuid> = sessions.into_iter().collect();
        self.execute(
            include_str!("session/close.sql"),
            &[&sessions, &Ts(self.now())],
        )
        .await?;
        Ok(ended)
    }

    async fn leases_expire(&self, jobs: &[Uuid]) -> Result<usize, StoreError> {
        if jobs.is_empty() {
            return Ok(0);
        }
        let leases = self.leases_lock(jobs).await?;
        let mut moves = Vec::with_capacity(leases.len());
        for (ticket, held) in leases.into_values() {
            let event = Event::LeaseExpired { fence: held.fence };
            let to = held
                .state()
                .apply(&ticket.rules()?, event, self.now())
                .expect("the lease is locked and its own fence");
            let detail = Some("no heartbeat came in time".to_owned());
            let class = Some(FailureClass::Crashed.as_str());
            moves.push(Move {
                ticket,
                held: Some(held),
                to,
                cause: "expired",
                reported: false,
                class,
                detail,
                result: None,
            });
        }
        let ended = moves.len();
        self.settle(moves).await?;
        Ok(ended)
    }
}

impl Store {
    /// Tenants with a session that no heartbeat holds any more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sessions_expired(&self) -> Result<Vec<TenantId>, StoreError> {
        let rows = self
            .sched()
            .await?
            .query(include_str!("session/expired.sql"), &[])
            .await?;
        Ok(rows
            .iter()
            .map(|row| TenantId(row.get("tenant_id")))
            .collect())
    }

    /// One pass of the reaper over a tenant, repeated while it meets other transactions.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reap(&self, tenant: TenantId, limit: u32) -> Result<usize, StoreError> {
        let caller = Caller::system(tenant);
        self.retrying(async || {
            let tx = self.begin(&caller).await?;
            let ended = tx.sessions_reap(limit).await?;
            tx.commit().await?;
            Ok(ended)
        })
        .await
    }
}
