//! One search for jobs: the first of all due types together are dealt to the workers that wait.

use jobengine_domain::id::SessionId;
use jobengine_store::{StoreError, Tx, TypeClaim, TypeWanted};
use tokio::time::Instant;

use super::attempt::Attempt;
use super::deal::{Hand, deal};
use super::position::Positions;

/// Jobs of each type moved to the ready set at once when their time has come.
const PROMOTE_MAX: u32 = 500;
/// Jobs looked at in one search, over all types.
const HEADS_MAX: usize = 2_000;

/// What is searched for, and by whom.
#[derive(Debug, Default)]
pub(super) struct Search<'a> {
    /// The due types, and how many jobs of each may be handed out.
    pub types: Vec<(&'a str, usize)>,
    /// The workers that take some of them.
    pub hands: Vec<Hand>,
    /// Where each of them stands among the lane's waiters.
    pub waiters: Vec<usize>,
    /// Their sessions.
    pub sessions: Vec<SessionId>,
}

impl Search<'_> {
    /// Claims the jobs that are next over all types together, and deals them, after jobs whose time has come were moved
    /// to the ready set. Once a second, and when nothing else is found, a job that is granted alone goes first.
    pub(super) async fn run(mut self, tx: &Tx, attempt: &mut Attempt) -> Result<(), StoreError> {
        let now = Instant::now();
        let due = |(of, _): &&(&str, usize)| attempt.positions.get(of).promote_is_due(now);
        let due: Vec<&str> = self.types.iter().filter(due).map(|(of, _)| *of).collect();
        promote(tx, &due, &mut attempt.positions, now).await?;
        let looked = attempt.positions.alone_is_due(now);
        if looked {
            self.claim_alone(tx, attempt).await?;
        }
        self.leave_out(attempt);
        if self.hands.is_empty() {
            return Ok(());
        }
        let before = attempt.dealt.len();
        self.claim(tx, &due, attempt).await?;
        if attempt.dealt.len() == before && !looked {
            self.claim_alone(tx, attempt).await?;
        }
        Ok(())
    }

    /// The first job that is granted alone goes to a worker that holds nothing. When all of them hold something, one
    /// gets no other job until it does not: so the job waits no longer than that worker's work.
    async fn claim_alone(&self, tx: &Tx, attempt: &mut Attempt) -> Result<(), StoreError> {
        let types: Vec<&str> = self.types.iter().map(|(of, _)| *of).collect();
        attempt.reserved = match tx.lease_alone(&types).await? {
            None => None,
            Some((job_type, from)) => {
                let takes = types.iter().position(|of| *of == job_type);
                self.deal_alone(tx, attempt, (&job_type, from), takes)
                    .await?
            }
        };
        Ok(())
    }

    /// Grants a job alone; else the answer is the session that is kept for it.
    async fn deal_alone(
        &self,
        tx: &Tx,
        attempt: &mut Attempt,
        (job_type, from): (&str, i64),
        takes: Option<usize>,
    ) -> Result<Option<SessionId>, StoreError> {
        let hands = self.hands.iter().enumerate();
        let hands = hands.filter(|(_, hand)| takes.is_some_and(|of| hand.types.contains(&of)));
        let hands: Vec<usize> = hands.map(|(at, _)| at).collect();
        let sessions: Vec<SessionId> = hands.iter().map(|at| self.sessions[*at]).collect();
        let idle = tx.sessions_idle(&sessions).await?;
        let Some(at) = hands.iter().find(|at| idle.contains(&self.sessions[**at])) else {
            let kept = attempt
                .reserved
                .filter(|session| sessions.contains(session));
            return Ok(kept.or(sessions.first().copied()));
        };
        let session = self.sessions[*at];
        let granted = tx.lease_claim_alone(job_type, from, session).await?;
        attempt
            .dealt
            .extend(granted.map(|grant| (self.waiters[*at], grant)));
        Ok(None)
    }

    /// Takes those workers out of the search that got a job that is granted alone, or are kept for one.
    fn leave_out(&mut self, attempt: &Attempt) {
        let left = |at: usize| {
            let dealt = attempt
                .dealt
                .iter()
                .any(|(waiter, _)| *waiter == self.waiters[at]);
            !dealt && attempt.reserved != Some(self.sessions[at])
        };
        let left: Vec<usize> = (0..self.hands.len()).filter(|at| left(*at)).collect();
        self.hands = left.iter().map(|at| self.hands[*at].clone()).collect();
        self.waiters = left.iter().map(|at| self.waiters[*at]).collect();
        self.sessions = left.iter().map(|at| self.sessions[*at]).collect();
    }

    /// Each type is searched from its remembered place; when nothing is found, all are searched once more from the
    /// start, after jobs of the other types than the `promoted` ones were moved to the ready set.
    async fn claim(
        &self,
        tx: &Tx,
        promoted: &[&str],
        attempt: &mut Attempt,
    ) -> Result<(), StoreError> {
        let now = Instant::now();
        let mut from = Vec::with_capacity(self.types.len());
        for (job_type, _) in &self.types {
            let mut position = attempt.positions.get(job_type);
            from.push(position.start(now));
            attempt.positions.set(job_type, position);
        }
        if self.claim_from(tx, &from, attempt).await? {
            return Ok(());
        }
        let rest = self.types.iter().map(|(of, _)| *of);
        let rest: Vec<&str> = rest.filter(|of| !promoted.contains(of)).collect();
        let any = promote(tx, &rest, &mut attempt.positions, now).await?;
        if any || from.iter().any(|from| *from > i64::MIN) {
            from.fill(i64::MIN);
            self.claim_from(tx, &from, attempt).await?;
        }
        Ok(())
    }

    /// Claims and deals the next jobs from these sort keys on; whether there were any. A type whose first jobs
    /// cannot be had, because another claimer holds them or their source is paused, gives way to the others.
    async fn claim_from(
        &self,
        tx: &Tx,
        from: &[i64],
        attempt: &mut Attempt,
    ) -> Result<bool, StoreError> {
        let types = self.types.iter().zip(from);
        let mut wanted: Vec<TypeWanted<'_>> = types
            .map(|(&(job_type, jobs), &from)| TypeWanted {
                job_type,
                from,
                jobs,
            })
            .collect();
        loop {
            let next = tx.lease_heads(&wanted, HEADS_MAX).await?;
            let dealt = deal(&self.hands, wanted.len(), &next);
            if dealt.iter().all(Vec::is_empty) {
                return Ok(false);
            }
            let before = attempt.dealt.len();
            self.claim_dealt(tx, &wanted, &next, &dealt, attempt)
                .await?;
            if attempt.dealt.len() > before {
                return Ok(true);
            }
            for (type_wanted, hands) in wanted.iter_mut().zip(&dealt) {
                if !hands.is_empty() {
                    type_wanted.jobs = 0;
                }
            }
        }
    }

    /// Claims as many jobs of each type as were dealt.
    async fn claim_dealt(
        &self,
        tx: &Tx,
        wanted: &[TypeWanted<'_>],
        next: &[usize],
        dealt: &[Vec<usize>],
        attempt: &mut Attempt,
    ) -> Result<(), StoreError> {
        let claimed: Vec<usize> = (0..wanted.len())
            .filter(|of| !dealt[*of].is_empty())
            .collect();
        let sessions: Vec<Vec<SessionId>> = claimed
            .iter()
            .map(|of| dealt[*of].iter().map(|hand| self.sessions[*hand]).collect())
            .collect();
        let claims: Vec<TypeClaim<'_>> = claimed
            .iter()
            .zip(&sessions)
            .map(|(of, sessions)| TypeClaim {
                job_type: wanted[*of].job_type,
                from: wanted[*of].from,
                sessions,
            })
            .collect();
        let granted = tx.lease_claim(&claims).await?;
        for (of, grants) in claimed.into_iter().zip(granted) {
            let TypeWanted { job_type, jobs, .. } = wanted[of];
            let mut position = attempt.positions.get(job_type);
            position.advance(grants.last().map(|grant| grant.sort_key));
            attempt.positions.set(job_type, position);
            // There may be more of a type of which as many were found as were looked for. What another claimer
            // holds at this moment counts for nothing: the next look finds it, should it become free.
            let found = next.iter().filter(|number| **number == of).count();
            if grants.len() == dealt[of].len() && (found == jobs || next.len() == HEADS_MAX) {
                attempt.more.push(job_type.to_owned());
            }
            let waiters = dealt[of].iter().map(|hand| self.waiters[*hand]);
            attempt.dealt.extend(waiters.zip(grants));
        }
        Ok(())
    }
}

/// Moves jobs of some types whose time has come to the ready set; whether there were any.
async fn promote(
    tx: &Tx,
    types: &[&str],
    positions: &mut Positions,
    now: Instant,
) -> Result<bool, StoreError> {
    if types.is_empty() {
        return Ok(false);
    }
    let lowest = tx.lease_promote(types, PROMOTE_MAX).await?;
    for job_type in types {
        let mut position = positions.get(job_type);
        position.promoted(lowest.get(*job_type).copied(), now);
        positions.set(job_type, position);
    }
    Ok(!lowest.is_empty())
}
