//! The lane of one tenant: who waits, and when to look again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jobengine_domain::id::{SessionId, TenantId};
use jobengine_domain::state::Report;
use jobengine_domain::time::Timestamp;
use jobengine_queue::{Listener, Ready};
use jobengine_store::{Grant, JobReport, StoreError};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::attempt::Attempt;
use super::position::Positions;
use super::{Claimed, Shared, Waiter};
use crate::flush::{Complete, is_somebodys_own};
use crate::problem::{Code, Problem};

/// Jobs of one type in one statement.
const SLOTS_MAX: usize = 500;
/// Jobs looked for when nothing says how many there are.
const SLOTS_GUESS: usize = 16;
/// Workers of one tenant that wait at once.
const WAITERS_MAX: usize = 4_096;
/// Waiters look by themselves this often, less up to a quarter.
const LOOK_EVERY_MS: u64 = 1_000;
/// A lane without waiters keeps its places for so long.
const IDLE_MAX: Duration = Duration::from_mins(1);

/// The waiting workers of one tenant.
pub(super) struct Lane {
    pub(super) shared: Arc<Shared>,
    pub(super) tenant: TenantId,
    pub(super) waiters: Vec<Waiter>,
    pub(super) positions: Positions,
    inbox: mpsc::Receiver<Waiter>,
    /// Types to look at, and how many jobs to look for.
    due: BTreeMap<String, usize>,
    next_look: Instant,
    looks: u64,
    /// The session that gets no other job until it holds nothing, because one that is granted alone waits.
    pub(super) reserved: Option<SessionId>,
    /// So many waiters are tried one by one, because trying them together failed.
    apart: usize,
}

impl Lane {
    pub(super) fn new(
        shared: Arc<Shared>,
        tenant: TenantId,
        inbox: mpsc::Receiver<Waiter>,
    ) -> Self {
        Self {
            shared,
            tenant,
            inbox,
            waiters: Vec::new(),
            positions: Positions::default(),
            due: BTreeMap::new(),
            next_look: Instant::now(),
            looks: 0,
            reserved: None,
            apart: 0,
        }
    }

    pub(super) async fn run(mut self) {
        let listener = self.shared.queue.listen(self.tenant);
        loop {
            while let Ok(waiter) = self.inbox.try_recv() {
                self.admit(waiter);
            }
            self.dismiss();
            if self.shared.shutdown.is_cancelled() {
                self.answer_all(|| Ok(Vec::new()));
            }
            let fresh = self.fresh();
            if !fresh.is_empty() || !self.due.is_empty() {
                self.look(&fresh).await;
            } else if !self.wait(&listener).await {
                return;
            }
        }
    }

    /// Waits for something to do; `false` when the lane has ended.
    async fn wait(&mut self, listener: &Listener) -> bool {
        let idle = self.waiters.is_empty();
        if idle && self.shared.shutdown.is_cancelled() {
            return !self.shared.leave(self.tenant, &self.inbox);
        }
        let until = self.waiters.iter().map(|waiter| waiter.until).min();
        let wake = until.map_or(Instant::now() + IDLE_MAX, |until| until.min(self.next_look));
        let shutdown = self.shared.shutdown.clone();
        tokio::select! {
            waiter = self.inbox.recv() => match waiter {
                Some(waiter) => self.admit(waiter),
                None => return false,
            },
            heard = listener.hear() => self.hear(heard),
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep_until(wake) => {
                if idle {
                    return !self.shared.leave(self.tenant, &self.inbox);
                }
                if Instant::now() >= self.next_look {
                    self.look_at_all(SLOTS_GUESS);
                }
            }
        }
        true
    }

    fn admit(&mut self, waiter: Waiter) {
        self.supersede(&waiter);
        if self.waiters.len() < WAITERS_MAX {
            if self.waiters.is_empty() {
                self.set_next_look();
            }
            self.waiters.push(waiter);
            return;
        }
        let problem = Problem::new(Code::Overloaded, "too many workers wait already; try again");
        let _ = waiter.answer.send(Err(problem));
    }

    /// Lets go a waiter whose claim is repeated while it waits: whoever repeats it does not expect its answer any more.
    fn supersede(&mut self, repeat: &Waiter) {
        let Some(key) = &repeat.ask.act.key else {
            return;
        };
        let same = |waiter: &Waiter| {
            let act = &waiter.ask.act;
            act.key.as_ref().is_some_and(|it| it.hash == key.hash)
                && act.subject == repeat.ask.act.subject
        };
        if let Some(at) = self.waiters.iter().position(same) {
            let problem = Problem::new(
                Code::IdempotencyInProgress,
                "the claim was repeated under its key; the repeat is answered",
            );
            let _ = self.waiters.remove(at).answer.send(Err(problem));
        }
    }

    fn hear(&mut self, heard: Vec<Ready>) {
        for ready in heard {
            match ready {
                Ready::Anything => {
                    self.positions.reset();
                    self.look_at_all(SLOTS_GUESS);
                }
                Ready::Jobs(jobs) => {
                    self.positions.lower(&jobs.job_type, jobs.from);
                    // One more than announced: when it stays free, that was all.
                    self.look_at(jobs.job_type, jobs.jobs as usize + 1);
                }
            }
        }
    }

    fn look_at(&mut self, job_type: String, slots: usize) {
        let wanted = |waiter: &Waiter| waiter.ask.types.contains(&job_type);
        if self.waiters.iter().any(wanted) {
            let due = self.due.entry(job_type).or_default();
            *due = (*due).max(slots).min(SLOTS_MAX);
        }
    }

    fn look_at_all(&mut self, slots: usize) {
        let types = self.waiters.iter().flat_map(|waiter| &waiter.ask.types);
        for job_type in types {
            let due = self.due.entry(job_type.clone()).or_default();
            *due = (*due).max(slots);
        }
        self.set_next_look();
    }

    fn set_next_look(&mut self) {
        self.looks += 1;
        // Replicas and tenants must not look in step.
        let spread =
            (u64::from(self.tenant.0.as_bytes()[15]) + self.looks * 37) % (LOOK_EVERY_MS / 4);
        self.next_look = Instant::now() + Duration::from_millis(LOOK_EVERY_MS - spread);
    }

    /// Lets go whoever has gone, and whose time is over.
    fn dismiss(&mut self) {
        let now = Instant::now();
        let mut at = 0;
        while at < self.waiters.len() {
            let waiter = &self.waiters[at];
            if waiter.answer.is_closed() {
                self.waiters.remove(at);
            } else if waiter.tried && waiter.until <= now {
                let waiter = self.waiters.remove(at);
                self.answer(waiter, Vec::new(), Timestamp::from_micros(0));
            } else {
                at += 1;
            }
        }
        if self.waiters.is_empty() {
            self.due.clear();
        }
    }

    /// The waiters for whom nobody has looked yet; the types they want are due.
    fn fresh(&mut self) -> Vec<usize> {
        let together = if self.is_apart() { 1 } else { usize::MAX };
        let fresh: Vec<usize> = (0..self.waiters.len())
            .filter(|at| !self.waiters[*at].tried)
            .take(together)
            .collect();
        for at in &fresh {
            let ask = &self.waiters[*at].ask;
            for job_type in &ask.types {
                let due = self.due.entry(job_type.clone()).or_default();
                *due = (*due + ask.max as usize).min(SLOTS_MAX);
            }
        }
        fresh
    }

    /// Whether waiters are tried one by one.
    pub(super) const fn is_apart(&self) -> bool {
        self.apart > 0
    }

    async fn look(&mut self, fresh: &[usize]) {
        let types: Vec<(String, usize)> = std::mem::take(&mut self.due).into_iter().collect();
        for at in fresh {
            self.waiters[*at].tried = true;
        }
        let attempt = self.attempt(fresh, &types).await;
        self.apart = self.apart.saturating_sub(1);
        match attempt {
            Ok(attempt) => self.deliver(fresh.len(), attempt),
            Err(error) if fresh.len() > 1 && is_somebodys_own(&error) => {
                self.apart = fresh.len();
                for at in fresh {
                    self.waiters[*at].tried = false;
                }
            }
            Err(error) => self.fail(fresh, &error),
        }
    }

    /// Tells those it was tried for; when PostgreSQL is away, or nobody in particular was tried, all.
    fn fail(&mut self, fresh: &[usize], error: &StoreError) {
        let problem = Problem::from(error);
        if fresh.is_empty() || !is_somebodys_own(error) {
            return self.answer_all(|| Err(problem.clone()));
        }
        for at in fresh.iter().rev() {
            let waiter = self.waiters.remove(*at);
            let _ = waiter.answer.send(Err(problem.clone()));
        }
    }

    fn deliver(&mut self, asked: usize, attempt: Attempt) {
        let Attempt {
            at,
            dealt,
            refused,
            repeated,
            positions,
            more,
            opened,
            alone,
            reserved,
        } = attempt;
        self.reserved = reserved;
        for at in opened {
            self.waiters[at].opened = Some(Instant::now());
            self.waiters[at].alone = alone.contains(&at);
        }
        self.shared.metrics.flush("claim", asked, dealt.len());
        self.positions = positions;
        let mut hands: BTreeMap<usize, Vec<Grant>> = BTreeMap::new();
        for (hand, grant) in dealt {
            hands.entry(hand).or_default().push(grant);
        }
        let mut repeated: BTreeMap<usize, Result<Vec<Grant>, Problem>> =
            repeated.into_iter().collect();
        let answered = hands.keys().chain(repeated.keys()).copied();
        let answered: BTreeSet<usize> = answered.chain(refused).collect();
        // From the back, so that the indices in front stay what they are.
        for index in answered.into_iter().rev() {
            let waiter = self.waiters.remove(index);
            if let Some(grants) = hands.remove(&index) {
                self.answer(waiter, grants, at);
            } else if let Some(again) = repeated.remove(&index) {
                // Whoever has gone again may ask once more: nothing is given back.
                let replayed = true;
                let again = again.map(|grants| Claimed {
                    grants,
                    at,
                    replayed,
                });
                let _ = waiter.answer.send(again);
            } else {
                let problem = Problem::new(
                    Code::SessionTaken,
                    "another principal opened the session; draw a fresh session id",
                );
                let _ = waiter.answer.send(Err(problem));
            }
        }
        for job_type in more {
            self.look_at(job_type, SLOTS_MAX);
        }
    }

    fn answer_all(&mut self, answer: impl Fn() -> Result<Vec<Grant>, Problem>) {
        for waiter in std::mem::take(&mut self.waiters) {
            match answer() {
                Ok(grants) => self.answer(waiter, grants, Timestamp::from_micros(0)),
                Err(problem) => drop(waiter.answer.send(Err(problem))),
            }
        }
        self.due.clear();
    }

    fn answer(&self, waiter: Waiter, grants: Vec<Grant>, at: Timestamp) {
        self.shared.metrics.claimed(grants.len());
        let claimed = Claimed {
            grants,
            at,
            replayed: false,
        };
        if let Err(Ok(claimed)) = waiter.answer.send(Ok(claimed)) {
            self.give_back(&claimed.grants);
        }
    }

    /// Releases what was dealt to a worker that has gone: its attempt is not counted.
    fn give_back(&self, grants: &[Grant]) {
        if grants.is_empty() {
            return;
        }
        self.shared.metrics.undelivered(grants.len());
        let released = |grant: &Grant| JobReport {
            job: grant.job,
            token: grant.token,
            report: Report::Released,
            detail: Some("its claimer had gone".to_owned()),
            result: None,
        };
        let complete = Complete {
            act: None,
            session: grants[0].session,
            reports: grants.iter().map(released).collect(),
        };
        let (completes, tenant) = (self.shared.completes.clone(), self.tenant);
        tokio::spawn(async move {
            if let Err(problem) = completes.ask(tenant, complete).await {
                // They return by themselves when the session's lease runs out.
                tracing::debug!(
                    code = problem.code().as_str(),
                    "jobs could not be given back"
                );
            }
        });
    }
}
