//! What is done in batches: submit, complete, heartbeat.

mod complete;
mod heartbeat;
mod submit;

use std::borrow::Cow;
use std::future::Future;
use std::time::Duration;

use jobengine_domain::id::TenantId;
use jobengine_store::{LockWait, StoreError};
use tokio::time::Instant;

pub(crate) use complete::{Complete, CompleteFlush};
pub(crate) use heartbeat::HeartbeatFlush;
pub(crate) use submit::{Submit, SubmitFlush};

use crate::problem::{Code, Problem};

/// The requests of a batch that failed are tried one by one for so long; what is left then is refused.
const APART_MAX: Duration = Duration::from_millis(1_500);

/// Whether the same work may succeed for others when one of the batch is left out. When PostgreSQL is away,
/// trying one by one would only keep everybody waiting.
pub(crate) const fn is_somebodys_own(error: &StoreError) -> bool {
    match error {
        StoreError::Refused(_)
        | StoreError::Stale(_)
        | StoreError::Expired(_)
        | StoreError::Missing(_)
        | StoreError::SourceClosed { .. }
        | StoreError::Corrupt { .. }
        | StoreError::InProgress(_)
        | StoreError::Conflict(_) => true,
        StoreError::Unavailable(_)
        | StoreError::Busy(_)
        | StoreError::Migrate(_)
        | StoreError::Unfit(_) => false,
    }
}

/// Work on a batch that succeeds or fails as a whole.
trait Batch: Sync {
    /// What one client asks for.
    type Request: Sync;
    /// What it is answered.
    type Answer: Send;

    /// Does all of them in one transaction that waits for locks in this way; the answers stand in their order.
    fn work(
        &self,
        tenant: TenantId,
        requests: &[Self::Request],
        locks: LockWait,
    ) -> impl Future<Output = Result<Vec<Self::Answer>, StoreError>> + Send;
}

/// Does a batch together, and one by one when that fails for a reason that need not be everybody's. A row
/// that somebody has locked holds up the batch for half a second, then its own request alone for a twentieth;
/// the lane is free for those behind it after [`APART_MAX`] at the latest.
async fn together_or_apart<B: Batch>(
    batch: &B,
    tenant: TenantId,
    requests: &[B::Request],
) -> Vec<Result<B::Answer, Problem>> {
    let error = match batch.work(tenant, requests, LockWait::Short).await {
        Ok(answers) => return answers.into_iter().map(Ok).collect(),
        Err(error) => error,
    };
    if requests.len() == 1 || !is_somebodys_own(&error) {
        let problem = Problem::from(error);
        return requests.iter().map(|_| Err(problem.clone())).collect();
    }
    tracing::debug!(%error, requests = requests.len(), "a batch failed; trying its requests one by one");
    let until = Instant::now() + APART_MAX;
    let mut answers = Vec::with_capacity(requests.len());
    let mut given_up = None;
    for request in requests {
        if let Some(problem) = &given_up {
            answers.push(Err(Problem::clone(problem)));
            continue;
        }
        if Instant::now() >= until {
            let problem = Problem::new(
                Code::Overloaded,
                "others before this one took too long; try again",
            );
            answers.push(Err(given_up.insert(problem).clone()));
            continue;
        }
        let alone = std::slice::from_ref(request);
        match batch.work(tenant, alone, LockWait::Least).await {
            Ok(mut alone) => answers.push(Ok(alone.remove(0))),
            Err(error) => {
                let everybodys = !is_somebodys_own(&error);
                let problem = Problem::from(error);
                if everybodys {
                    // Each of the others would wait for it in turn.
                    given_up = Some(problem.clone());
                }
                answers.push(Err(problem));
            }
        }
    }
    answers
}

/// The items of all requests; a request that is alone is not copied.
fn joined<R, T: Clone>(requests: &[R], items: fn(&R) -> &Vec<T>) -> Cow<'_, [T]> {
    match requests {
        [alone] => Cow::Borrowed(items(alone)),
        many => Cow::Owned(
            many.iter()
                .flat_map(|request| items(request).iter().cloned())
                .collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Doubles numbers; a 13 is nobody's friend, and a 14 finds PostgreSQL away.
    struct Doubling;

    impl Batch for Doubling {
        type Request = u32;
        type Answer = u32;

        async fn work(
            &self,
            _: TenantId,
            requests: &[u32],
            locks: LockWait,
        ) -> Result<Vec<u32>, StoreError> {
            if requests.contains(&16) {
                // A row that somebody else has locked.
                let most = match locks {
                    LockWait::Usual => 2_000,
                    LockWait::Short => 500,
                    LockWait::Least => 50,
                };
                tokio::time::sleep(Duration::from_millis(most)).await;
                return Err(StoreError::Stale("a lock"));
            }
            if requests.contains(&14) {
                return Err(StoreError::Unavailable("planned".into()));
            }
            if requests.contains(&13) {
                return Err(StoreError::Stale("a number"));
            }
            if requests == [15] {
                return Err(StoreError::Unavailable("planned".into()));
            }
            Ok(requests.iter().map(|number| number * 2).collect())
        }
    }

    async fn check(requests: &[u32], expected: &[Result<u32, u16>]) {
        let tenant = TenantId(uuid::Uuid::nil());
        let answers = together_or_apart(&Doubling, tenant, requests).await;
        let answers: Vec<_> = answers
            .into_iter()
            .map(|answer| answer.map_err(|problem| problem.code().status()))
            .collect();
        assert_eq!(answers, expected);
    }

    #[tokio::test]
    async fn a_failure_of_one_is_not_the_others() {
        check(&[1, 2], &[Ok(2), Ok(4)]).await;
        check(&[1, 13, 2], &[Ok(2), Err(409), Ok(4)]).await;
        check(&[13], &[Err(409)]).await;
        check(&[1, 14, 2], &[Err(503), Err(503), Err(503)]).await;
    }

    /// What one alone meets and waits for, the others would wait for in turn.
    #[tokio::test]
    async fn nobody_waits_for_what_another_has_waited_for() {
        check(
            &[1, 13, 15, 2, 3],
            &[Ok(2), Err(409), Err(503), Err(503), Err(503)],
        )
        .await;
    }

    /// One lock costs its neighbours little, and a hundred of them no more than a bounded time.
    #[tokio::test(start_paused = true)]
    async fn a_lock_is_waited_for_shortly_and_the_lane_is_soon_free() {
        let began = Instant::now();
        check(&[1, 16, 2], &[Ok(2), Err(409), Ok(4)]).await;
        assert_eq!(began.elapsed(), Duration::from_millis(550));
        let began = Instant::now();
        let requests: Vec<u32> = std::iter::repeat_n(16, 100).chain([1]).collect();
        let expected = (0..=100).map(|at| Err(if at < 30 { 409 } else { 503 }));
        check(&requests, &expected.collect::<Vec<_>>()).await;
        assert_eq!(began.elapsed(), Duration::from_secs(2));
    }
}
