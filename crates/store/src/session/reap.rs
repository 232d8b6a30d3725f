//! The end of sessions that nothing was heard of: their attempts end with them.

use std::collections::BTreeSet;

use jobengine_domain::caller::Caller;
use jobengine_domain::class::FailureClass;
use jobengine_domain::id::{JobId, TenantId};
use jobengine_domain::lease::Fence;
use jobengine_domain::state::{Event, TransitionError};
use uuid::Uuid;

use crate::caller::Tx;
use crate::connect::Store;
use crate::error::StoreError;
use crate::settle::Move;
use crate::ts::Ts;

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
        let held = rows.iter().filter_map(|row| {
            let job: Option<Uuid> = row.get("job_id");
            Option::zip(
                job.map(JobId),
                row.get::<_, Option<i64>>("fence").map(Fence),
            )
        });
        let ended = self.leases_expire(&held.collect::<Vec<_>>()).await?;
        let sessions: BTreeSet<Uuid> = rows.iter().map(|row| row.get("session_id")).collect();
        let sessions: Vec<Uuid> = sessions.into_iter().collect();
        self.execute(include_str!("close.sql"), &[&sessions, &Ts(self.now())])
            .await?;
        Ok(ended)
    }

    /// Ends grants that were seen before their rows were locked. Meanwhile a job may have been given
    /// back and granted to somebody else: that grant has another fence and stays.
    pub(super) async fn leases_expire(&self, seen: &[(JobId, Fence)]) -> Result<usize, StoreError> {
        if seen.is_empty() {
            return Ok(0);
        }
        let jobs: Vec<Uuid> = seen.iter().map(|(job, _)| job.0).collect();
        let mut leases = self.leases_lock(&jobs).await?;
        let mut moves = Vec::with_capacity(leases.len());
        for (job, fence) in seen {
            let Some((ticket, held)) = leases.remove(job) else {
                continue;
            };
            let event = Event::LeaseExpired { fence: *fence };
            let to = match held.state().apply(&ticket.rules()?, event, self.now()) {
                Ok(to) => to,
                Err(
                    TransitionError::LeaseLost
                    | TransitionError::NotReady { .. }
                    | TransitionError::Illegal { .. },
                ) => continue,
            };
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
