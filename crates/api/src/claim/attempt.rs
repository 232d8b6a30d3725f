//! One transaction of a lane: sessions are kept open, jobs of the due types are claimed and dealt.

use std::collections::BTreeMap;
use std::time::Duration;

use jobengine_domain::caller::Caller;
use jobengine_domain::id::SessionId;
use jobengine_domain::time::Timestamp;
use jobengine_store::{Grant, LockWait, StoreError, Tx, WorkerSession};
use tokio::time::Instant;

use super::Waiter;
use super::deal::deal;
use super::lane::Lane;
use super::position::{Position, Positions};
use crate::problem::Problem;

/// Jobs moved to the ready set at once when their time has come.
const PROMOTE_MAX: u32 = 500;

/// A waiter whose claim was answered before, and what it is given again.
type Repeated = (usize, Result<Vec<Grant>, Problem>);

/// What a transaction did, once it is committed.
pub(super) struct Attempt {
    /// The database's clock.
    pub at: Timestamp,
    /// Jobs, each with the index of the waiter it was dealt to.
    pub dealt: Vec<(usize, Grant)>,
    /// Waiters whose session belongs to another principal.
    pub refused: Vec<usize>,
    /// Waiters whose claim was answered before, and what they are given again.
    pub repeated: Vec<Repeated>,
    /// How far the lane has come.
    pub positions: Positions,
    /// Types of which every slot was filled: there may be more.
    pub more: Vec<String>,
    /// Waiters whose sessions were kept open.
    pub opened: Vec<usize>,
}

impl Lane {
    /// Tries once. `fresh` are the waiters for whom nobody has looked yet, in order; `types` says how many
    /// jobs of which type to look for.
    pub(super) async fn attempt(
        &self,
        fresh: &[usize],
        types: &[(String, usize)],
    ) -> Result<Attempt, StoreError> {
        let caller = Caller::system(self.tenant);
        // The session of one may be locked: it holds up those who came with it for a short time only.
        let locks = if fresh.len() == 1 && !self.is_apart() {
            LockWait::Usual
        } else {
            LockWait::Short
        };
        self.shared
            .store
            .retrying(async || {
                let tx = self.shared.store.begin_waiting(&caller, locks).await?;
                let attempt = self.claim_types(&tx, fresh, types).await?;
                tx.commit().await?;
                Ok(attempt)
            })
            .await
    }

    async fn claim_types(
        &self,
        tx: &Tx,
        fresh: &[usize],
        types: &[(String, usize)],
    ) -> Result<Attempt, StoreError> {
        let opened = self.to_open(fresh, types);
        let (refused, repeated) = self.open(tx, &opened, fresh).await?;
        let mut attempt = Attempt {
            at: tx.now(),
            dealt: Vec::new(),
            positions: self.positions.clone(),
            more: Vec::new(),
            refused,
            repeated,
            opened,
        };
        for (job_type, slots) in types {
            let takers = self.takers(job_type, *slots, &attempt);
            if takers.is_empty() {
                continue;
            }
            let sessions: Vec<SessionId> = takers
                .iter()
                .map(|at| self.waiters[*at].ask.session.id)
                .collect();
            let mut position = attempt.positions.get(job_type);
            let grants = claim_type(tx, job_type, &sessions, &mut position).await?;
            attempt.positions.set(job_type, position);
            if grants.len() == takers.len() {
                attempt.more.push(job_type.clone());
            }
            attempt.dealt.extend(takers.into_iter().zip(grants));
        }
        self.keep(tx, &attempt.dealt).await?;
        Ok(attempt)
    }

    /// The waiters whose sessions are kept open: those for whom nobody has looked yet, and those that
    /// may get something now and have waited for long. In the order of the sessions, which is the
    /// order in which everybody locks them, and before any job is locked.
    fn to_open(&self, fresh: &[usize], types: &[(String, usize)]) -> Vec<usize> {
        let ages = Duration::from_millis(u64::from(self.shared.lease.get())) / 4;
        let may_get = |waiter: &Waiter| types.iter().any(|(due, _)| waiter.ask.types.contains(due));
        let wanted = |at: &usize| {
            let waiter = &self.waiters[*at];
            let old = waiter.opened.is_none_or(|since| since.elapsed() >= ages);
            fresh.binary_search(at).is_ok() || (old && may_get(waiter))
        };
        let mut opened: Vec<usize> = (0..self.waiters.len()).filter(wanted).collect();
        opened.sort_by_key(|at| self.waiters[*at].ask.session.id);
        opened
    }

    /// Keeps the sessions of some waiters open; the answer are those that belong to somebody else, and those
    /// of the `fresh` ones that ask again for what they were given before.
    async fn open(
        &self,
        tx: &Tx,
        waiters: &[usize],
        fresh: &[usize],
    ) -> Result<(Vec<usize>, Vec<Repeated>), StoreError> {
        if waiters.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let session = |at: usize| &self.waiters[at].ask.session;
        let sessions: Vec<WorkerSession> = waiters.iter().map(|at| session(*at).clone()).collect();
        let open = tx.sessions_open(&sessions, self.shared.lease).await?;
        let (mut refused, mut repeated) = (Vec::new(), Vec::new());
        for at in waiters.iter().copied() {
            let ask = &self.waiters[at].ask;
            let Some(last_claim) = open.get(&ask.session) else {
                refused.push(at);
                continue;
            };
            let again = ask.key.filter(|key| *last_claim == Some(key.hash));
            if let Some(key) = again.filter(|_| fresh.binary_search(&at).is_ok()) {
                repeated.push((at, self.repeat(tx, ask, key).await?));
            }
        }
        Ok((refused, repeated))
    }

    /// The waiters that get the next jobs of a type, in turn, one entry a job.
    fn takers(&self, job_type: &str, slots: usize, so_far: &Attempt) -> Vec<usize> {
        let wants = |at: &usize| {
            let types = &self.waiters[*at].ask.types;
            let answered = so_far.refused.contains(at)
                || so_far.repeated.iter().any(|(repeated, _)| repeated == at);
            !answered && types.iter().any(|name| name == job_type)
        };
        let hands: Vec<usize> = (0..self.waiters.len()).filter(wants).collect();
        let mut has: BTreeMap<usize, u32> = BTreeMap::new();
        for (at, _) in &so_far.dealt {
            *has.entry(*at).or_default() += 1;
        }
        let room = |at: &usize| {
            let has = has.get(at).copied().unwrap_or(0);
            self.waiters[*at].ask.max.saturating_sub(has)
        };
        let room: Vec<u32> = hands.iter().map(room).collect();
        deal(&room, slots)
            .into_iter()
            .map(|hand| hands[hand])
            .collect()
    }
}

/// Claims jobs of one type: from the remembered place, from the start once a second and when nothing
/// was found, and once more when the time of some has come.
async fn claim_type(
    tx: &Tx,
    job_type: &str,
    takers: &[SessionId],
    position: &mut Position,
) -> Result<Vec<Grant>, StoreError> {
    let now = Instant::now();
    let mut looked_for_due = position.promote_is_due(now);
    if looked_for_due {
        position.promoted(tx.lease_promote(job_type, PROMOTE_MAX).await?, now);
    }
    let mut grants = Vec::new();
    loop {
        let from = position.start(now);
        let found = tx
            .lease_claim(&takers[grants.len()..], job_type, from)
            .await?;
        position.advance(found.last().map(|grant| grant.sort_key));
        grants.extend(found);
        if grants.is_empty() && from > i64::MIN {
            position.sweep();
            continue;
        }
        if !grants.is_empty() || looked_for_due {
            return Ok(grants);
        }
        looked_for_due = true;
        let lowest = tx.lease_promote(job_type, PROMOTE_MAX).await?;
        position.promoted(lowest, now);
        if lowest.is_none() {
            return Ok(grants);
        }
    }
}
