//! Jobs of several requests, written in one transaction with their audit rows and answers.

use std::collections::HashSet;
use std::sync::Arc;

use jobengine_domain::caller::Caller;
use jobengine_domain::defaults::SUBMIT_MAX;
use jobengine_domain::id::{JobId, TenantId};
use jobengine_queue::{Hint, Queue};
use jobengine_store::secret::InstallationSecret;
use jobengine_store::{Act, LockWait, NewJob, Store, StoreError, Tx};

use super::{Batch, together_or_apart};
use crate::act::{Done, Turn, effect, turn};
use crate::coalesce::Flush;
use crate::problem::Problem;

/// Jobs that one client asks for.
#[derive(Debug, Clone)]
pub(crate) struct Submit {
    /// Who asks, and under which key.
    pub act: Act,
    /// What is to be done.
    pub jobs: Vec<NewJob>,
    /// Makes the answer out of the new ids.
    pub answer: fn(&[JobId]) -> Done,
}

/// Writes the jobs of several requests and wakes those who wait for them.
pub(crate) struct SubmitFlush {
    store: Store,
    queue: Arc<dyn Queue>,
    secret: InstallationSecret,
}

impl SubmitFlush {
    pub(crate) fn new(store: Store, queue: Arc<dyn Queue>, secret: InstallationSecret) -> Self {
        Self {
            store,
            queue,
            secret,
        }
    }

    async fn write(
        &self,
        tx: &Tx,
        requests: &[Submit],
    ) -> Result<Vec<Result<Done, Problem>>, StoreError> {
        let acts: Vec<&Act> = requests.iter().map(|request| &request.act).collect();
        let answered = tx.acts_answered(&acts).await?;
        let mut answers = Vec::with_capacity(requests.len());
        let (mut taken, mut jobs, mut by) = (Vec::new(), Vec::new(), Vec::new());
        for (request, answered) in requests.iter().zip(&answered) {
            match turn(&self.secret, tx, &request.act, answered.as_ref()) {
                Err(problem) => answers.push(Some(Err(problem))),
                Ok(Turn::Replay(done)) => answers.push(Some(Ok(done))),
                Ok(Turn::Take { forget }) => {
                    if forget {
                        tx.act_forget(&request.act).await?;
                    }
                    answers.push(None);
                    taken.push(request);
                    jobs.extend(request.jobs.iter().cloned());
                    by.extend(std::iter::repeat_n(&request.act, request.jobs.len()));
                }
            }
        }
        let ids = tx.jobs_submit_by(&jobs, &by).await?;
        let mut rest = ids.as_slice();
        let mut done = Vec::with_capacity(taken.len());
        for request in &taken {
            let (own, others) = rest.split_at(request.jobs.len());
            done.push((request.answer)(own));
            rest = others;
        }
        let effects: Vec<_> = taken
            .iter()
            .zip(&done)
            .map(|(request, done)| effect(&self.secret, tx, &request.act, done))
            .collect();
        tx.acts_record(&effects).await?;
        drop(effects);
        let mut done = done.into_iter();
        let answers = answers.into_iter().map(|answer| {
            answer.unwrap_or_else(|| Ok(done.next().expect("one answer for each that was taken")))
        });
        Ok(answers.collect())
    }
}

impl Batch for SubmitFlush {
    type Request = Submit;
    type Answer = Result<Done, Problem>;

    async fn work(
        &self,
        tenant: TenantId,
        requests: &[Submit],
        locks: LockWait,
    ) -> Result<Vec<Result<Done, Problem>>, StoreError> {
        let caller = Caller::system(tenant);
        let (answers, ready) = self
            .store
            .retrying(async || {
                let tx = self.store.begin_waiting(&caller, locks).await?;
                let answers = self.write(&tx, requests).await?;
                let ready = tx.ready();
                tx.commit().await?;
                Ok((answers, ready))
            })
            .await?;
        self.queue.announce(&Hint::jobs(tenant, ready));
        Ok(answers)
    }
}

impl Flush for SubmitFlush {
    type Request = Submit;
    type Answer = Done;

    const KIND: &'static str = "submit";
    const ITEMS_MAX: usize = SUBMIT_MAX;
    const WAITING_MAX: usize = 4 * SUBMIT_MAX;
    // Two submits of one tenant would only wait for its clock.
    const PLACES: usize = 1;

    fn items(request: &Submit) -> usize {
        request.jobs.len()
    }

    fn bytes(request: &Submit) -> usize {
        request.jobs.iter().map(|job| job.payload.len() + 256).sum()
    }

    async fn flush(&self, tenant: TenantId, requests: Vec<Submit>) -> Vec<Result<Done, Problem>> {
        let all = requests.len();
        let (firsts, twins) = twins_apart(requests);
        let mut answers: Vec<_> = (0..all).map(|_| None).collect();
        // The ledger tells the twins what the first ones of their keys were answered.
        for (places, requests) in [firsts, twins] {
            if !requests.is_empty() {
                let given = together_or_apart(self, tenant, &requests).await;
                for (place, answer) in places.into_iter().zip(given) {
                    answers[place] = Some(answer.and_then(|answer| answer));
                }
            }
        }
        let answers = answers.into_iter();
        answers
            .map(|answer| answer.expect("each request stands in one of both parts"))
            .collect()
    }
}

/// Requests with the places they had in their batch.
type Part = (Vec<usize>, Vec<Submit>);

/// Parts the requests whose key an earlier one of the batch has from the others.
fn twins_apart(requests: Vec<Submit>) -> (Part, Part) {
    let mut keys = HashSet::new();
    let (mut firsts, mut twins) = (Part::default(), Part::default());
    for (place, request) in requests.into_iter().enumerate() {
        let act = &request.act;
        let key = act.key.as_ref();
        let key = key.map(|key| (act.subject.clone(), act.operation.clone(), key.hash));
        let part = if key.is_none_or(|key| keys.insert(key)) {
            &mut firsts
        } else {
            &mut twins
        };
        part.0.push(place);
        part.1.push(request);
    }
    (firsts, twins)
}
