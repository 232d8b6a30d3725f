//! Worker sessions: one heartbeat holds all leases of a worker; when it stops, they end.

mod heartbeat;
mod read;
mod reap;

use reap::lost_leases;

pub use heartbeat::{Beat, Directive, Heartbeat};
pub use read::{SessionDetail, SessionLease, SessionRecord};

use std::collections::{BTreeMap, BTreeSet};

use jobengine_domain::id::SessionId;
use jobengine_domain::lease::LeaseMs;
use uuid::Uuid;

use crate::caller::Tx;
use crate::error::StoreError;
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
    /// How many jobs the worker does at once, if it says so.
    pub slots: Option<u32>,
}

impl Tx {
    /// Opens sessions or keeps them open: from now on they live for `lease`. Returns those that do, each with whether
    /// it holds a job that was granted alone; the others were opened by another principal. A claim keeps the session,
    /// but no lease: what no heartbeat has held for the time of a lease ends here, because its worker never heard
    /// of it and may go on asking for ever.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] may be repeated.
    pub async fn sessions_open(
        &self,
        sessions: &[WorkerSession],
        lease: LeaseMs,
    ) -> Result<BTreeMap<WorkerSession, bool>, StoreError> {
        let ids: Vec<Uuid> = sessions.iter().map(|session| session.id.0).collect();
        let column = |of: fn(&WorkerSession) -> &str| sessions.iter().map(of).collect::<Vec<_>>();
        let slots = sessions.iter().map(|session| session.slots.map(signed));
        let slots: Vec<Option<i32>> = slots.collect();
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
                    &slots,
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
            self.leases_expire(&lost_leases(&lost)).await?;
        }
        let open: BTreeMap<(Uuid, &str), bool> = rows
            .iter()
            .map(|row| {
                let session = (row.get("session_id"), row.get("subject"));
                (session, row.get("alone"))
            })
            .collect();
        let is_open = |session: &WorkerSession| {
            let alone = open.get(&(session.id.0, session.subject.as_str()))?;
            Some((session.clone(), *alone))
        };
        Ok(sessions.iter().filter_map(is_open).collect())
    }

    /// Those of the sessions that hold nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sessions_idle(
        &self,
        sessions: &[SessionId],
    ) -> Result<BTreeSet<SessionId>, StoreError> {
        let ids: Vec<Uuid> = sessions.iter().map(|session| session.0).collect();
        let rows = self
            .query(include_str!("session/idle.sql"), &[&ids])
            .await?;
        Ok(rows
            .iter()
            .map(|row| SessionId(row.get("session_id")))
            .collect())
    }
}
