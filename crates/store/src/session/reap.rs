//! The end of sessions that nothing was heard of: their attempts end with them.

use std::collections::BTreeSet;

use jobengine_domain::caller::Caller;
use jobengine_domain::class::FailureClass;
use jobengine_domain::id::{JobId, TenantId};
use jobengine_domain::lease::Fence;
use jobengine_domain::state::{Event, TransitionError};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::caller::Tx;
use crate::connect::Store;
use crate::error::StoreError;
use crate::settle::Move;
use crate::ts::Ts;

/// A lease that no heartbeat holds any more.
#[derive(Debug, Clone, Copy)]
pub(super) struct LostLease {
    pub job: JobId,
    pub fence: Fence,
    /// Whether its worker had begun the job, as far as is known.
    pub begun: bool,
}

/// Reads lost leases; a row of a session without any has none.
pub(super) fn lost_leases(rows: &[Row]) -> Vec<LostLease> {
    let lost = |row: &Row| {
        Some(LostLease {
            job: JobId(row.get::<_, Option<Uuid>>("job_id")?),
            fence: Fence(row.get("fence")),
            begun: row.get("begun"),
        })
    };
    rows.iter().filter_map(lost).collect()
}

impl Tx {
    /// Ends the attempts of sessions that no heartbeat holds any more, at most `limit` of them.
    /// Returns how many ended.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] may be repeated.
    pub async fn sessions_reap(&self, limit: u32) -> Result<usize, StoreError> {
        let rows = self
            .query(
                include_str!("reap.sql"),
                &[&Ts(self.now()), &i64::from(limit)],
            )
            .await?;
        let ended = self.leases_expire(&lost_leases(&rows)).await?;
        let sessions: BTreeSet<Uuid> = rows.iter().map(|row| row.get("session_id")).collect();
        let sessions: Vec<Uuid> = sessions.into_iter().collect();
        self.execute(include_str!("close.sql"), &[&sessions, &Ts(self.now())])
            .await?;
        Ok(ended)
    }

    /// Ends grants that were seen before their rows were locked. Meanwhile a job may have been given
    /// back and granted to somebody else: that grant has another fence and stays.
    pub(super) async fn leases_expire(&self, seen: &[LostLease]) -> Result<usize, StoreError> {
        if seen.is_empty() {
            return Ok(0);
        }
        let jobs: Vec<Uuid> = seen.iter().map(|lost| lost.job.0).collect();
        let mut leases = self.leases_lock(&jobs).await?;
        let mut moves = Vec::with_capacity(leases.len());
        for lost in seen {
            let Some((ticket, held)) = leases.remove(&lost.job) else {
                continue;
            };
            // It may have begun since it was seen.
            let begun = lost.begun || held.started_at.is_some();
            let event = Event::LeaseExpired {
                fence: lost.fence,
                begun,
            };
            let to = match held.state().apply(&ticket.rules()?, event, self.now()) {
                Ok(to) => to,
                Err(
                    TransitionError::LeaseLost
                    | TransitionError::NotReady { .. }
                    | TransitionError::Illegal { .. },
                ) => continue,
            };
            let detail = if begun {
                "no heartbeat came in time"
            } else {
                "no heartbeat came in time, and another job of the worker had begun: the attempt is not counted"
            };
            let detail = Some(detail.to_owned());
            let class = begun.then_some(FailureClass::Crashed.as_str());
            moves.push(Move {
                ticket,
                held: Some(held),
                to,
                cause: "expired",
                report: None,
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
            .query(include_str!("expired.sql"), &[])
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
