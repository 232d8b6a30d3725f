//! Children and their parents, against a real PostgreSQL.

use crate::house::{Ledger, accepted, child, failed, job};
use jobengine_domain::class::FailureClass::Policy;
use jobengine_domain::dag::EdgePolicy::{Always, OnFailure, Require};
use jobengine_domain::state::Report;
use jobengine_store::NewJob;

#[tokio::test]
async fn a_child_waits_for_all_its_parents() {
    let ledger = Ledger::open().await;
    let (run, ids) = ledger
        .run(&[job(), job(), child(&[(0, Require), (1, Require)])])
        .await;
    assert_eq!(ledger.state(ids[2]).await, "blocked");
    let parents = ledger.claim(10).await;
    assert_eq!(parents.len(), 2);
    ledger.report(&parents[0], Report::Succeeded).await;
    assert!(ledger.claim(10).await.is_empty());
    ledger.report(&parents[1], Report::Succeeded).await;
    let last = ledger.claim(10).await.remove(0);
    assert_eq!(last.job, ids[2]);
    assert_eq!(
        ledger.report(&last, Report::Succeeded).await,
        accepted("succeeded")
    );
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    let run = tx.run_find(run).await.unwrap().unwrap();
    assert_eq!(
        (run.state.as_str(), run.counts.succeeded, run.attempts),
        ("succeeded", 3, 3)
    );
}

#[tokio::test]
async fn policies_decide_and_skips_cascade() {
    let ledger = Ledger::open().await;
    let once = NewJob {
        max_attempts: 1,
        ..job()
    };
    let (run, ids) = ledger
        .run(&[
            once,
            child(&[(0, Require)]),
            child(&[(1, Require)]),
            child(&[(0, OnFailure)]),
            child(&[(2, Always)]),
        ])
        .await;
    let parent = ledger.claim(1).await.remove(0);
    assert_eq!(
        ledger.report(&parent, failed(Policy)).await,
        accepted("failed")
    );
    let mut states = Vec::new();
    for id in &ids {
        states.push(ledger.state(*id).await);
    }
    assert_eq!(states, ["failed", "skipped", "skipped", "queued", "queued"]);
    for grant in ledger.claim(10).await {
        ledger.report(&grant, Report::Succeeded).await;
    }
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    assert_eq!(tx.run_find(run).await.unwrap().unwrap().state, "partial");
}

#[tokio::test]
async fn parents_that_finish_together_unlock_once() {
    let ledger = Ledger::open().await;
    for _ in 0..20 {
        let (_, ids) = ledger
            .run(&[job(), job(), child(&[(0, Require), (1, Require)])])
            .await;
        let parents = ledger.claim(2).await;
        let reports = parents
            .iter()
            .map(|grant| ledger.report(grant, Report::Succeeded));
        futures_util::future::join_all(reports).await;
        let last = ledger.claim(10).await;
        assert_eq!(
            last.iter().map(|grant| grant.job).collect::<Vec<_>>(),
            ids[2..]
        );
        ledger.report(&last[0], Report::Succeeded).await;
    }
}

#[tokio::test]
async fn a_child_that_must_not_start_yet_waits_on_when_its_parents_have_ended() {
    let ledger = Ledger::open().await;
    let later = NewJob {
        not_before: Some("2999-01-01T00:00:00Z".parse().unwrap()),
        ..child(&[(0, Require)])
    };
    let (_, ids) = ledger.run(&[job(), later]).await;
    let parent = ledger.claim(1).await.remove(0);
    ledger.report(&parent, Report::Succeeded).await;
    assert_eq!(ledger.state(ids[1]).await, "queued");
    assert!(ledger.claim(1).await.is_empty());
    ledger.pass_time().await;
    assert_eq!(ledger.claim(1).await[0].job, ids[1]);
}
