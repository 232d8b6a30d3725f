//! Carrying out decided moves: the one place where a job leaves `leased`, or ends.
//!
//! Whoever ends attempts (a report, the reaper, a cancel, a deadline) decides by the pure state
//! function and hands the moves here: leases end, outcomes and attempts are written, retries are
//! queued, dead letters open, children are unblocked and runs are counted, in one transaction.

use std::collections::BTreeMap;

use jobengine_domain::id::{JobId, RunId, SessionId};
use jobengine_domain::lease::Fence;
use jobengine_domain::signature::signature;
use jobengine_domain::state::JobState;
use jobengine_domain::time::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::caller::Tx;
use crate::draw::draw_at;
use crate::error::StoreError;
use crate::run::RunGain;
use crate::ticket::{Ticket, signed, unsigned};
use crate::ts::{Ts, ts};

/// The part of a token's hash that is the public name of its lease. Too short to match any token.
const LEASE_NAME_BYTES: usize = 16;

/// What a report said: the first half of its SHA-256.
pub(crate) type ReportDigest = [u8; 16];

/// One decided move of one job.
#[derive(Debug, Clone)]
pub(crate) struct Move {
    pub ticket: Ticket,
    /// The attempt that ends with it, if one was under way.
    pub held: Option<Held>,
    pub to: JobState,
    /// Why, in one word: `succeeded`, `failed`, `expired`, `released`, `canceled`, `timed_out`, `skipped`, `unblocked`.
    pub cause: &'static str,
    /// What the worker's own report said, if that ended the attempt: only then a repeat of it is answered.
    pub report: Option<ReportDigest>,
    /// The failure's class as the attempt carries it (the job's own stands in `to`).
    pub class: Option<&'static str>,
    pub detail: Option<String>,
    pub result: Option<String>,
}

/// The attempt under way, as its lease tells it.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub fence: Fence,
    pub token_hash: Vec<u8>,
    pub session: SessionId,
    pub granted_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub attempt: u32,
    pub crashes: u32,
}

impl Held {
    pub(crate) fn state(&self) -> JobState {
        JobState::Leased {
            attempt: self.attempt,
            fence: self.fence,
            crashes: self.crashes,
        }
    }
}

impl Tx {
    /// Locks the leases of some jobs: first their runs, then the leases, each in the order of ids.
    pub(crate) async fn leases_lock(
        &self,
        jobs: &[Uuid],
    ) -> Result<BTreeMap<JobId, (Ticket, Held)>, StoreError> {
        self.query(include_str!("run/lock.sql"), &[&jobs]).await?;
        let rows = self.query(include_str!("lease/lock.sql"), &[&jobs]).await?;
        rows.iter()
            .map(|row| {
                Ok((
                    JobId(row.get("job_id")),
                    (Ticket::from_row(row), held(row)?),
                ))
            })
            .collect()
    }

    /// Carries out moves and everything that follows from them. The runs of the jobs are locked.
    pub(crate) async fn settle(&self, moves: Vec<Move>) -> Result<(), StoreError> {
        let mut gains: BTreeMap<RunId, RunGain> = BTreeMap::new();
        let mut moves = moves;
        let mut before = Timestamp::from_micros(0);
        // Each turn settles the children that the turn before decided; a DAG has at most 256 levels.
        while !moves.is_empty() {
            // After whatever happened to the job before, and after the ends of its parents.
            let moments: Vec<Timestamp> = moves
                .iter()
                .map(|step| self.now().after(step.ticket.since.max(before)))
                .collect();
            for (step, at) in moves.iter().zip(&moments) {
                if let Some(run) = step.ticket.run {
                    gains.entry(run).or_default().add(step, *at);
                }
            }
            before = moments.iter().copied().fold(before, Timestamp::max);
            self.write(&moves, &moments).await?;
            moves = self.children_decide(&moves).await?;
        }
        gains.retain(|_, gain| gain.counts());
        self.run_count(&gains).await
    }

    /// Writes moves, each at its own moment.
    async fn write(&self, moves: &[Move], moments: &[Timestamp]) -> Result<(), StoreError> {
        /// One value of each move, as a column.
        fn column<'m, T>(moves: &'m [Move], of: impl Fn(&'m Move) -> T) -> Vec<T> {
            moves.iter().map(of).collect()
        }
        let (actor, scope) = self.actor();
        let events: Vec<Uuid> = moments.iter().map(|at| draw_at(*at)).collect();
        let params: [&(dyn ToSql + Sync); 30] = [
            &self.tenant().0,
            &Ts(self.now()),
            &column(moves, |step| step.ticket.job.0),
            &column(moves, |step| step.ticket.run.map(|run| run.0)),
            &column(moves, |step| step.ticket.job_type.as_str()),
            &column(moves, |step| step.ticket.sort_key),
            &column(moves, |step| step.ticket.max_attempts),
            &column(moves, |step| step.ticket.max_crashes),
            &column(moves, |step| ts(step.ticket.deadline)),
            &column(moves, |step| step.ticket.has_children),
            &column(moves, |step| step.to.as_str()),
            &column(moves, |step| step.held.as_ref().map(|held| held.fence.0)),
            &column(moves, Move::token_hash),
            &column(moves, |step| step.held.as_ref().map(|held| held.session.0)),
            &column(moves, |step| {
                ts(step.held.as_ref().map(|held| held.granted_at))
            }),
            &column(moves, |step| {
                step.held.as_ref().map_or(0, |held| signed(held.attempt))
            }),
            &column(moves, |step| ts(step.queued().map(|(at, ..)| at))),
            &column(moves, |step| {
                step.queued().map_or(0, |(_, attempts, _)| signed(attempts))
            }),
            &column(moves, |step| {
                step.queued().map_or(0, |(.., crashes)| signed(crashes))
            }),
            &column(moves, |step| step.cause),
            &column(moves, Move::class),
            &column(moves, |step| step.detail.as_deref()),
            &column(moves, |step| step.result.as_deref()),
            &events,
            &column(moves, |step| {
                ts(step.held.as_ref().and_then(|held| held.started_at))
            }),
            &actor,
            &scope,
            &column(moves, Move::signature),
            &moments.iter().copied().map(Ts).collect::<Vec<_>>(),
            &column(moves, |step| {
                step.report.as_ref().map(ReportDigest::as_slice)
            }),
        ];
        let row = self
            .query_one(include_str!("job/move.sql"), &params)
            .await?;
        self.note_event();
        for step in moves {
            if matches!(step.to, JobState::Queued { ready_at, .. } if ready_at <= self.now()) {
                self.note_ready(&step.ticket.job_type, step.ticket.sort_key);
            }
        }
        self.notes().settled(moves);
        self.trace_ended(moves).await?;
        let released: i64 = row.get("released");
        let expected = moves.iter().filter(|step| step.held.is_some()).count();
        if usize::try_from(released) == Ok(expected) {
            Ok(())
        } else {
            Err(StoreError::Stale("a lease"))
        }
    }
}

impl Move {
    /// When it may start again, its attempts and crashes so far; of a move to `queued` only.
    const fn queued(&self) -> Option<(Timestamp, u32, u32)> {
        match self.to {
            JobState::Queued {
                ready_at,
                attempts,
                crashes,
            } => Some((ready_at, attempts, crashes)),
            JobState::Blocked
            | JobState::Leased { .. }
            | JobState::Succeeded
            | JobState::Failed { .. }
            | JobState::Canceled
            | JobState::TimedOut
            | JobState::Skipped => None,
        }
    }

    /// What is kept of the token: all of its hash after a report, else only the lease's public name.
    fn token_hash(&self) -> Option<&[u8]> {
        let hash = self.held.as_ref()?.token_hash.as_slice();
        Some(if self.report.is_some() {
            hash
        } else {
            hash.get(..LEASE_NAME_BYTES).unwrap_or(hash)
        })
    }

    /// Of a failure: what it has in common with others of its cause.
    fn signature(&self) -> Option<String> {
        let failed = matches!(self.to, JobState::Failed { .. });
        failed.then(|| signature(self.detail.as_deref().unwrap_or_default()))
    }

    fn class(&self) -> Option<&'static str> {
        match self.to {
            JobState::Failed { class } => Some(class.as_str()),
            JobState::Queued { .. } => self.class,
            JobState::Blocked
            | JobState::Leased { .. }
            | JobState::Succeeded
            | JobState::Canceled
            | JobState::TimedOut
            | JobState::Skipped => None,
        }
    }
}

impl RunGain {
    /// Whether there is anything to add.
    fn counts(&self) -> bool {
        let nothing = Self {
            at: self.at,
            ..Self::default()
        };
        *self != nothing
    }

    fn add(&mut self, step: &Move, at: Timestamp) {
        self.at = self.at.max(at);
        self.attempts += i64::from(step.held.is_some());
        self.expired += i64::from(step.cause == "expired");
        match step.to {
            JobState::Blocked | JobState::Queued { .. } | JobState::Leased { .. } => {}
            JobState::Succeeded => self.succeeded += 1,
            JobState::Failed { .. } | JobState::TimedOut => self.failed += 1,
            JobState::Canceled => self.canceled += 1,
            JobState::Skipped => self.skipped += 1,
        }
    }
}

fn held(row: &Row) -> Result<Held, StoreError> {
    Ok(Held {
        fence: Fence(row.get("fence")),
        token_hash: row.get("token_hash"),
        session: SessionId(row.get("session_id")),
        granted_at: row.get::<_, Ts>("granted_at").0,
        started_at: row.get::<_, Option<Ts>>("started_at").map(|Ts(at)| at),
        attempt: unsigned(row.get("attempt"), "lease.attempt")?,
        crashes: unsigned(row.get("crashes"), "lease.crashes")?,
    })
}
