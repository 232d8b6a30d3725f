//! What is done in batches: submit, complete, heartbeat.

mod complete;
mod heartbeat;
mod submit;

use std::borrow::Cow;
use std::future::Future;

use jobengine_domain::id::TenantId;
use jobengine_store::StoreError;

pub(crate) use complete::{Complete, CompleteFlush};
pub(crate) use heartbeat::HeartbeatFlush;
pub(crate) use submit::{Submit, SubmitFlush};

use crate::problem::Problem;

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
        StoreError::Unavailable(_) | StoreError::Migrate(_) | StoreError::Unfit(_) => false,
    }
}

/// Whether what one request met when it was alone waits for the others too: then each of them would wait
/// for it in turn.
const fn is_everybodys(error: &StoreError) -> bool {
    matches!(error, StoreError::Conflict(_)) || !is_somebodys_own(error)
}

/// Work on a batch that succeeds or fails as a whole.
trait Batch: Sync {
    /// What one client asks for.
    type Request: Sync;
    /// What it is answered.
    type Answer: Send;

    /// Does all of them in one transaction; the answers stand in their order.
    fn work(
        &self,
        tenant: TenantId,
        requests: &[Self::Request],
    ) -> impl Future<Output = Result<Vec<Self::Answer>, StoreError>> + Send;
}

/// Does a batch together, and one by one when that fails for a reason that need not be everybody's.
async fn together_or_apart<B: Batch>(
    batch: &B,
    tenant: TenantId,
    requests: &[B::Request],
) -> Vec<Result<B::Answer, Problem>> {
    let error = match batch.work(tenant, requests).await {
        Ok(answers) => return answers.into_iter().map(Ok).collect(),
        Err(error) => error,
    };
    if requests.len() == 1 || !is_somebodys_own(&error) {
        let problem = Problem::from(error);
        return requests.iter().map(|_| Err(problem.clone())).collect();
    }
    tracing::debug!(%error, requests = requests.len(), "a batch failed; trying its requests one by one");
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        match batch.work(tenant, std::slice::from_ref(request)).await {
            Ok(mut alone) => answers.push(Ok(alone.remove(0))),
            Err(error) => {
                let everybody = is_everybodys(&error);
                let problem = Problem::from(error);
                let left = requests.len() - answers.len();
                let with = if everybody { left } else { 1 };
                answers.extend((0..with).map(|_| Err(problem.clone())));
                if everybody {
                    break;
                }
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

        async fn work(&self, _: TenantId, requests: &[u32]) -> Result<Vec<u32>, StoreError> {
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
}
