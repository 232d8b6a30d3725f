//! Heartbeats: one of them holds all leases of a worker.

use std::collections::{BTreeMap, BTreeSet};

use jobengine_domain::id::{JobId, SessionId};
use jobengine_domain::lease::Fence;
use tokio_postgres::Row;
use uuid::Uuid;

use super::reap::LostLease;
use crate::caller::Tx;
use crate::error::StoreError;
use crate::lease::LeaseToken;
use crate::progress::Word;
use crate::ticket::unsigned;
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

/// A heartbeat, as its worker sends it.
#[derive(Debug, Clone)]
pub struct Beat {
    /// Whose.
    pub session: SessionId,
    /// The principal that sends it.
    pub subject: String,
    /// What the worker thinks it holds.
    pub held: Vec<(JobId, LeaseToken)>,
    /// How far jobs among those are: thousandths and a few words.
    pub progress: Vec<(JobId, u16, Option<String>)>,
}

impl Beat {
    /// What the worker tells of jobs that it does hold.
    fn words(&self, leases: &BTreeMap<JobId, &Row>) -> Vec<Word> {
        let held = |job: &JobId| {
            let row = leases.get(job)?;
            let named = |(named, token): &(JobId, LeaseToken)| {
                named == job && token.matches(row.get("token_hash"))
            };
            let holds = self.held.iter().any(named);
            holds.then(|| Fence(row.get("fence")))
        };
        let words = self.progress.iter().filter_map(|(job, permille, note)| {
            Some(Word {
                job: *job,
                fence: held(job)?,
                permille: *permille,
                note: note.clone(),
            })
        });
        words.collect()
    }

    fn directives(&self, leases: &BTreeMap<JobId, &Row>) -> Vec<Directive> {
        let directive = |(job, token): &(JobId, LeaseToken)| match leases.get(job) {
            Some(row) if token.matches(row.get("token_hash")) => Directive::Continue,
            _ => Directive::LeaseLost,
        };
        self.held.iter().map(directive).collect()
    }
}

impl Tx {
    /// Takes heartbeats, at most one of a session: holds every lease of these sessions, tells which of
    /// the named ones are lost, and ends those the worker does not know of (their claim's answer never
    /// arrived). The answers stand in the order of the beats.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] may be repeated.
    pub async fn sessions_heartbeat(&self, beats: &[Beat]) -> Result<Vec<Heartbeat>, StoreError> {
        let sessions: Vec<Uuid> = beats.iter().map(|beat| beat.session.0).collect();
        let subjects: Vec<&str> = beats.iter().map(|beat| beat.subject.as_str()).collect();
        let alive = self
            .query(
                include_str!("extend.sql"),
                &[&sessions, &subjects, &Ts(self.now())],
            )
            .await?;
        let alive: BTreeMap<(SessionId, &str), i32> = alive
            .iter()
            .map(|row| {
                let id = SessionId(row.get("session_id"));
                ((id, row.get("subject")), row.get("lease_ms"))
            })
            .collect();
        let rows = self.query(include_str!("leases.sql"), &[&sessions]).await?;
        let mut leases: BTreeMap<SessionId, BTreeMap<JobId, &Row>> = BTreeMap::new();
        for row in &rows {
            let of = leases.entry(SessionId(row.get("session_id"))).or_default();
            of.insert(JobId(row.get("job_id")), row);
        }
        let none = BTreeMap::new();
        let (mut unknown, mut words) = (Vec::new(), Vec::new());
        let mut answers = Vec::with_capacity(beats.len());
        for beat in beats {
            let Some(lease_ms) = alive.get(&(beat.session, beat.subject.as_str())) else {
                answers.push(Heartbeat {
                    lease_ms: None,
                    directives: vec![Directive::LeaseLost; beat.held.len()],
                });
                continue;
            };
            let lease_ms = unsigned(*lease_ms, "worker_session.lease_ms")?;
            let leases = leases.get(&beat.session).unwrap_or(&none);
            unknown.extend(self.unknown(beat, leases, lease_ms));
            words.extend(beat.words(leases));
            answers.push(Heartbeat {
                lease_ms: Some(lease_ms),
                directives: beat.directives(leases),
            });
        }
        self.words_write(&words).await?;
        if unknown.is_empty() {
            // Only extensions are at stake: a crash may lose them, and the next heartbeat mends that.
            self.command("SET LOCAL synchronous_commit = off").await?;
        } else {
            self.leases_expire(&unknown).await?;
        }
        Ok(answers)
    }

    /// Leases of a session that its worker did not name, although it had the time of a lease to.
    fn unknown(
        &self,
        beat: &Beat,
        leases: &BTreeMap<JobId, &Row>,
        lease_ms: u32,
    ) -> Vec<LostLease> {
        let known: BTreeSet<JobId> = beat.held.iter().map(|(job, _)| *job).collect();
        let any_begun = leases.values().any(|row| row.get("started"));
        let overdue = leases.iter().filter(|(job, row)| {
            let Ts(granted_at) = row.get("granted_at");
            !known.contains(job) && self.now().ms_since(granted_at) > u64::from(lease_ms)
        });
        let lost = |(job, row): (&JobId, &&Row)| LostLease {
            job: *job,
            fence: Fence(row.get("fence")),
            begun: row.get("started") || !any_begun,
        };
        overdue.map(lost).collect()
    }
}
