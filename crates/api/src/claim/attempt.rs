//! One transaction of a lane: sessions are kept open, jobs of the due types are claimed and dealt.

use std::time::Duration;

use jobengine_domain::caller::Caller;
use jobengine_domain::id::SessionId;
use jobengine_domain::time::Timestamp;
use jobengine_store::{Grant, LockWait, StoreError, Tx, WorkerSession};

use super::Waiter;
use super::deal::Hand;
use super::lane::Lane;
use super::position::Positions;
use super::search::Search;
use crate::problem::Problem;

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
    /// Those of them that hold a job that was granted alone.
    pub alone: Vec<usize>,
    /// The session that gets no other job until it holds nothing, because one that is granted alone waits.
    pub reserved: Option<SessionId>,
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
        let (refused, alone) = self.open(tx, &opened).await?;
        let asking: Vec<usize> = fresh
            .iter()
            .copied()
            .filter(|at| !refused.contains(at))
            .collect();
        let repeated = self.repeated(tx, &asking).await?;
        let mut attempt = Attempt {
            at: tx.now(),
            dealt: Vec::new(),
            positions: self.positions.clone(),
            more: Vec::new(),
            refused,
            repeated,
            opened,
            alone,
            reserved: self.reserved,
        };
        let search = self.search(types, &attempt);
        if !search.hands.is_empty() {
            search.run(tx, &mut attempt).await?;
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

    /// Keeps the sessions of some waiters open; the answer are those that belong to another principal, and those that
    /// hold a job that was granted alone.
    async fn open(
        &self,
        tx: &Tx,
        waiters: &[usize],
    ) -> Result<(Vec<usize>, Vec<usize>), StoreError> {
        if waiters.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let session = |at: usize| &self.waiters[at].ask.session;
        let sessions: Vec<WorkerSession> = waiters.iter().map(|at| session(*at).clone()).collect();
        let open = tx.sessions_open(&sessions, self.shared.lease).await?;
        let (mut refused, mut alone) = (Vec::new(), Vec::new());
        for at in waiters.iter().copied() {
            match open.get(session(at)) {
                None => refused.push(at),
                Some(true) => alone.push(at),
                Some(false) => {}
            }
        }
        Ok((refused, alone))
    }

    /// Which of the due types may be handed out, and to whom.
    fn search<'a>(&'a self, due: &'a [(String, usize)], so_far: &Attempt) -> Search<'a> {
        let mut search = Search::default();
        let mut room = vec![0; due.len()];
        for (at, waiter) in self.waiters.iter().enumerate() {
            let answered = so_far.refused.contains(&at)
                || so_far.repeated.iter().any(|(repeated, _)| *repeated == at);
            let alone = if so_far.opened.contains(&at) {
                so_far.alone.contains(&at)
            } else {
                waiter.alone
            };
            let takes = |of: &usize| waiter.ask.types.contains(&due[*of].0);
            let types: Vec<usize> = (0..due.len()).filter(takes).collect();
            if answered || alone || types.is_empty() {
                continue;
            }
            let hand = Hand {
                types,
                room: waiter.ask.max as usize,
            };
            for job_type in &hand.types {
                room[*job_type] += hand.room;
            }
            search.hands.push(hand);
            search.waiters.push(at);
            search.sessions.push(waiter.ask.session.id);
        }
        let wanted = due.iter().zip(room);
        search.types = wanted
            .map(|((job_type, slots), room)| (job_type.as_str(), room.min(*slots)))
            .collect();
        search
    }
}
