//! Ending jobs from outside: called off by somebody, or overdue.

use std::collections::BTreeSet;

use jobengine_domain::caller::Caller;
use jobengine_domain::id::{JobId, RunId, TenantId};
use jobengine_domain::state::{Event, JobState};
use jobengine_domain::time::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::caller::Tx;
use crate::connect::Store;
use crate::error::StoreError;
use crate::settle::Move;
use crate::ticket::{Ticket, unsigned};
use crate::ts::Ts;

/// A job moves while we look for it at most so often, or somebody moves it on purpose.
const TAKE_TURNS: u32 = 5;

impl Tx {
    /// Calls off those of the jobs that have not ended; returns how many were. A worker that holds
    /// one is told at its next heartbeat, and its report is refused.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] may be repeated.
    pub async fn jobs_cancel(&self, jobs: &[JobId]) -> Result<usize, StoreError> {
        let jobs: Vec<Uuid> = jobs.iter().map(|job| job.0).collect();
        self.jobs_end(&jobs, Event::CancelRequested, "canceled")
            .await
    }

    /// Calls off every job of a run that has not ended; returns how many were.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] may be repeated.
    pub async fn run_cancel(&self, run: RunId) -> Result<usize, StoreError> {
        let rows = self
            .query(include_str!("run/unended.sql"), &[&run.0])
            .await?;
        let jobs: Vec<Uuid> = rows.iter().map(|row| row.get("job_id")).collect();
        self.jobs_end(&jobs, Event::CancelRequested, "canceled")
            .await
    }

    async fn jobs_end(
        &self,
        jobs: &[Uuid],
        event: Event,
        cause: &'static str,
    ) -> Result<usize, StoreError> {
        if jobs.is_empty() {
            return Ok(0);
        }
        self.query(include_str!("run/lock_by_job.sql"), &[&jobs])
            .await?;
        let mut moves = Vec::new();
        let mut left = jobs.to_vec();
        for _ in 0..TAKE_TURNS {
            let found = self.unended_take(&left, event, cause).await?;
            let taken: BTreeSet<Uuid> = found.iter().map(|step| step.ticket.job.0).collect();
            moves.extend(found);
            left.retain(|job| !taken.contains(job));
            if left.is_empty() {
                break;
            }
            // What was not found has ended, or was on its way from one table to the next: a claim or a
            // promotion that we waited for has committed since, and the next turn sees where it went.
            let rows = self
                .query(include_str!("job/unended.sql"), &[&left])
                .await?;
            left = rows.iter().map(|row| row.get("job_id")).collect();
            if left.is_empty() {
                break;
            }
        }
        if !left.is_empty() {
            return Err(StoreError::Stale("a job"));
        }
        let ended = moves.len();
        self.settle(moves).await?;
        Ok(ended)
    }

    /// Locks or takes out those of the jobs that stand in one of the narrow tables now; their moves.
    async fn unended_take(
        &self,
        jobs: &[Uuid],
        event: Event,
        cause: &'static str,
    ) -> Result<Vec<Move>, StoreError> {
        let mut moves = Vec::new();
        let mut step = |ticket: Ticket, held: Option<_>, state: JobState| {
            let to = state
                .apply(&ticket.rules()?, event, self.now())
                .map_err(|_| StoreError::Stale("the job"))?;
            moves.push(Move {
                ticket,
                held,
                to,
                cause,
                report: None,
                class: None,
                detail: None,
                result: None,
            });
            Ok::<_, StoreError>(())
        };
        for (ticket, held) in self.leases_lock(jobs).await?.into_values() {
            let state = held.state();
            step(ticket, Some(held), state)?;
        }
        for row in &self.query(include_str!("job/take.sql"), &[&jobs]).await? {
            step(Ticket::from_row(row), None, idle_state(row, self.now())?)?;
        }
        Ok(moves)
    }
}

impl Store {
    /// Tenants with a job past its deadline.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tenants_overdue(&self) -> Result<Vec<TenantId>, StoreError> {
        let rows = self
            .sched()
            .await?
            .query(include_str!("job/overdue_tenants.sql"), &[])
            .await?;
        Ok(rows
            .iter()
            .map(|row| TenantId(row.get("tenant_id")))
            .collect())
    }

    /// Times out up to `limit` jobs of a tenant whose deadline has passed; returns how many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn time_out(&self, tenant: TenantId, limit: u32) -> Result<usize, StoreError> {
        let caller = Caller::system(tenant);
        self.retrying(async || {
            let tx = self.begin(&caller).await?;
            let rows = tx
                .query(
                    include_str!("job/overdue.sql"),
                    &[&Ts(tx.now()), &i64::from(limit)],
                )
                .await?;
            let jobs: Vec<Uuid> = rows.iter().map(|row| row.get("job_id")).collect();
            let ended = tx
                .jobs_end(&jobs, Event::DeadlinePassed, "timed_out")
                .await?;
            tx.commit().await?;
            Ok(ended)
        })
        .await
    }
}

fn idle_state(row: &Row, now: Timestamp) -> Result<JobState, StoreError> {
    if row.get("blocked") {
        return Ok(JobState::Blocked);
    }
    Ok(JobState::Queued {
        ready_at: row
            .get::<_, Option<Ts>>("ready_at")
            .map_or(now, |Ts(at)| at),
        attempts: unsigned(row.get("attempts"), "ready.attempts")?,
        crashes: unsigned(row.get("crashes"), "ready.crashes")?,
    })
}
