//! A job that kills its workers is given up; the others of its batches are not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::service::{OURS, Person, Service, report};

/// What workers say of the jobs that they begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    /// Nothing, ever.
    Nothing,
    /// Each job before it does it, one after the other.
    InTurn,
    /// All of them, and does them at the same time.
    AllAtOnce,
}

/// A worker dies: no heartbeat comes, and the reaper finds out.
async fn die(service: &Service) {
    service
        .sql("UPDATE orch.worker_session SET lease_until = now() - interval '1 s'")
        .await;
    service.store.reap(OURS, 500).await.unwrap();
    service
        .sql("UPDATE orch.delayed SET ready_at = now() - interval '1 s'")
        .await;
}

async fn begin(ours: &Person, grants: &[Value]) {
    let lease = |grant: &Value| json!({"jobId": grant["jobId"], "leaseToken": grant["leaseToken"]});
    let leases: Vec<Value> = grants.iter().map(lease).collect();
    ours.post("/worker/ack", &json!({"leases": leases})).await;
}

/// One worker: claims once, and does what it got until that is done or kills it. Whether it got anything.
async fn live(
    service: &Service,
    ours: &Person,
    poison: &BTreeSet<String>,
    max: u32,
    says: Says,
) -> bool {
    let grants = ours.claim(max, 1_500).await;
    let deadly = |grant: &Value| poison.contains(grant["jobId"].as_str().unwrap());
    if says == Says::AllAtOnce {
        begin(ours, &grants).await;
        if grants.iter().any(deadly) {
            die(service).await;
            return true;
        }
    }
    if says == Says::Nothing && grants.iter().any(deadly) {
        die(service).await;
        return true;
    }
    for grant in &grants {
        if says == Says::InTurn {
            begin(ours, std::slice::from_ref(grant)).await;
            if deadly(grant) {
                die(service).await;
                return true;
            }
        }
        ours.complete(json!([report(grant, "succeeded")]))
            .await
            .ok(200);
    }
    !grants.is_empty()
}

async fn check(
    service: &Service,
    jobs: usize,
    deadly: &[usize],
    max: u32,
    says: Says,
) -> Result<(), TestCaseError> {
    service
        .sql("DELETE FROM orch.ready; DELETE FROM orch.delayed; DELETE FROM orch.lease")
        .await;
    let ours = service.ours();
    let ids = ours
        .submit(json!(vec![json!({"type": "t", "payload": 1}); jobs]))
        .await;
    let poison: BTreeSet<String> = deadly.iter().map(|at| ids[at % jobs].clone()).collect();
    // Three deaths for each deadly job, one more for those that died among others, and a life for each job left over.
    let most = 3 * poison.len() + 2 * jobs + 6;
    let mut lives = 0;
    while live(service, &ours, &poison, max, says).await {
        lives += 1;
        prop_assert!(lives <= most, "{} lives, and no end", lives);
    }
    let mut states = BTreeMap::new();
    for id in &ids {
        states.insert(id.clone(), ours.state(id).await);
    }
    for (id, state) in states {
        let expected = if poison.contains(&id) {
            "failed"
        } else {
            "succeeded"
        };
        prop_assert_eq!(state, expected);
    }
    Ok(())
}

#[tokio::test]
async fn what_only_waited_beside_a_poison_job_is_not_given_up() {
    let service = Service::start().await;
    for says in [Says::InTurn, Says::Nothing, Says::AllAtOnce] {
        check(&service, 20, &[0], 20, says).await.unwrap();
    }
}

/// POISON-1: whatever workers say, a job that kills them is given up after a bounded number of deaths, and no other job is.
#[tokio::test(flavor = "multi_thread")]
async fn only_what_kills_workers_is_given_up() {
    let service = Service::start().await;
    let says = prop_oneof![
        Just(Says::Nothing),
        Just(Says::InTurn),
        Just(Says::AllAtOnce)
    ];
    let deadly = proptest::collection::vec(0..12_usize, 0..3);
    let mut runner = TestRunner::new(Config::with_cases(8));
    let handle = tokio::runtime::Handle::current();
    let outcome = tokio::task::block_in_place(|| {
        runner.run(
            &(1..12_usize, deadly, 1..12_u32, says),
            |(jobs, deadly, max, says)| handle.block_on(check(&service, jobs, &deadly, max, says)),
        )
    });
    outcome.unwrap();
}

#[tokio::test]
async fn a_job_that_is_granted_alone_waits_for_a_worker_that_holds_nothing_and_gets_one() {
    let service = Service::start().await;
    let ours = service.ours();
    let suspect = ours
        .submit(json!([{"type": "t", "payload": 1}]))
        .await
        .remove(0);
    for _ in 0..2 {
        ours.claim(1, 1_500).await;
        die(&service).await;
    }
    // Two workers hold something, and ask for more without end.
    let claim = |session: u128, wait: u32| json!({"sessionId": Uuid::from_u128(session), "worker": "w", "types": ["t"], "max": 2, "waitMs": wait});
    let asks = async |session: u128, wait: u32| {
        let answer = ours
            .post("/worker/claim", &claim(session, wait))
            .await
            .ok(200);
        answer["grants"].as_array().unwrap().clone()
    };
    ours.submit(json!(vec![json!({"type": "t", "payload": 2}); 4]))
        .await;
    let (one, two) = (asks(1, 0).await, asks(2, 0).await);
    assert!(
        one.iter()
            .chain(&two)
            .all(|grant| grant["jobId"] != suspect.as_str())
    );
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    ours.submit(json!([{"type": "t", "payload": 3}])).await;
    // The first to ask is kept for the suspect: what is ready is not for it.
    assert!(asks(1, 300).await.is_empty());
    for grant in &one {
        let done =
            json!({"sessionId": Uuid::from_u128(1), "reports": [report(grant, "succeeded")]});
        ours.post("/worker/complete", &done).await.ok(200);
    }
    let alone = asks(1, 5_000).await;
    assert_eq!(alone.len(), 1, "{alone:#?}");
    assert_eq!(alone[0]["jobId"], suspect.as_str());
    // While it does that one it gets no other.
    assert!(asks(1, 300).await.is_empty());
    let done =
        json!({"sessionId": Uuid::from_u128(1), "reports": [report(&alone[0], "succeeded")]});
    ours.post("/worker/complete", &done).await.ok(200);
    assert_eq!(asks(1, 5_000).await.len(), 1);
    assert_eq!(ours.state(&suspect).await, "succeeded");
}
