//! What is counted at the commit, and what the gauges read.

use std::time::Duration;

use jobengine_domain::class::FailureClass;
use jobengine_domain::dag::EdgePolicy;
use jobengine_domain::id::SessionId;
use jobengine_domain::lease::LeaseMs;
use jobengine_domain::state::Report;
use jobengine_store::WorkerSession;
use jobengine_telemetry::Registry;
use jobengine_telemetry::trace::Traces;
use tokio_postgres::NoTls;
use uuid::Uuid;

use super::house::{Ledger, child, failed, job};

async fn observed() -> (Ledger, Registry) {
    let registry = Registry::new();
    let mut ledger = Ledger::open().await;
    ledger.store = ledger.store.observed(&registry, &Traces::default());
    (ledger, registry)
}

fn check(registry: &Registry, expected: &[&str]) {
    let text = registry.render();
    for line in expected {
        assert!(
            text.lines().any(|shown| shown == *line),
            "{line} is not in\n{text}"
        );
    }
}

#[tokio::test]
async fn attempts_and_ends_are_counted_whoever_ends_them() {
    let (ledger, registry) = observed().await;
    ledger.submit(&[job(), job(), job()]).await;
    let grants = ledger.claim(3).await;
    ledger.report(&grants[0], Report::Succeeded).await;
    ledger
        .report(&grants[1], failed(FailureClass::Policy))
        .await;
    // A repeat is answered and not counted.
    ledger
        .report(&grants[1], failed(FailureClass::Policy))
        .await;
    ledger.pass_time().await;
    ledger.store.reap(ledger.caller.tenant, 100).await.unwrap();
    check(
        &registry,
        &[
            r#"jobengine_attempts_total{cause="succeeded",class="none"} 1"#,
            r#"jobengine_attempts_total{cause="failed",class="policy"} 1"#,
            r#"jobengine_attempts_total{cause="expired",class="crashed"} 1"#,
            r#"jobengine_attempt_duration_seconds_count{cause="expired"} 1"#,
            r#"jobengine_jobs_ended_total{state="succeeded"} 1"#,
            r#"jobengine_jobs_ended_total{state="failed"} 1"#,
            "jobengine_job_wait_seconds_count 3",
            "jobengine_database_transactions_open 0",
        ],
    );
}

#[tokio::test]
async fn nothing_is_counted_of_what_was_rolled_back() {
    let (ledger, registry) = observed().await;
    ledger.submit(&[job()]).await;
    let grants = ledger.claim(1).await;
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    tx.jobs_cancel(&[grants[0].job]).await.unwrap();
    check(&registry, &["jobengine_database_transactions_open 1"]);
    drop(tx);
    check(
        &registry,
        &[
            r#"jobengine_jobs_ended_total{state="canceled"} 0"#,
            "jobengine_database_transactions_open 0",
        ],
    );
}

#[tokio::test]
async fn the_gauges_tell_where_jobs_stand() {
    let (ledger, _) = observed().await;
    ledger
        .run(&[job(), child(&[(0, EdgePolicy::Require)])])
        .await;
    let mut later = job();
    later.not_before = Some(ledger.store.now().await.unwrap().plus_ms(60_000));
    ledger.submit(&[job(), job(), later]).await;
    ledger.claim(1).await;
    let mut held = job();
    held.source = Some("osv".into());
    ledger.submit(&[held]).await;
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    let source = tx.source_ensure("osv").await.unwrap();
    tx.source_pause(source, "down").await.unwrap();
    tx.commit().await.unwrap();
    let (tenant, many) = (ledger.caller.tenant, 100);
    let pass = ledger.store.holds(tenant, None, many, many).await.unwrap();
    assert_eq!(pass.held, 1);
    let gauges = ledger.store.gauges().await.unwrap();
    let found: Vec<(&str, u64)> = gauges
        .jobs
        .iter()
        .map(|place| (place.state.as_str(), place.jobs))
        .collect();
    for place in [
        ("blocked", 1),
        ("ready", 2),
        ("delayed", 1),
        ("held", 1),
        ("leased", 1),
    ] {
        assert!(found.contains(&place), "{place:?} is not in {found:?}");
    }
    for place in gauges.jobs {
        let age = place.oldest;
        assert!(age < Duration::from_mins(1), "{}: {age:?}", place.state);
    }
    assert_eq!((gauges.outbox, gauges.outbox_oldest), (0, Duration::ZERO));
    assert!(gauges.dead_rows.iter().any(|(table, _)| table == "ready"));
}

#[tokio::test]
async fn a_transaction_that_holds_back_vacuum_is_seen_whoever_holds_it() {
    let (ledger, _) = observed().await;
    let (client, connection) = ledger.database.super_config().connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
        .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(30)).await;
    let age = ledger.store.gauges().await.unwrap().oldest_snapshot;
    assert!(age >= Duration::from_millis(30), "{age:?}");
}

#[tokio::test]
async fn the_gauges_tell_what_workers_can_do_while_they_are_heard_of() {
    let (ledger, _) = observed().await;
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    let worker = |number: u128, slots| WorkerSession {
        id: SessionId(Uuid::from_u128(number)),
        worker: "w".into(),
        subject: ledger.caller.subject.clone(),
        slots,
    };
    let sessions = [
        worker(1, Some(8)),
        worker(2, Some(4)),
        // It does not say.
        worker(3, None),
    ];
    let lease = LeaseMs::new(30_000).unwrap();
    tx.sessions_open(&sessions, lease).await.unwrap();
    // The last word counts.
    tx.sessions_open(&[worker(2, Some(2))], lease)
        .await
        .unwrap();
    let listed = tx.session_list(None, 10).await.unwrap();
    let slots: Vec<Option<u32>> = listed.iter().map(|session| session.slots).collect();
    assert_eq!(slots, [Some(8), Some(2), None]);
    tx.commit().await.unwrap();
    let gauges = ledger.store.gauges().await.unwrap();
    assert_eq!((gauges.workers, gauges.slots), (3, 10));
    ledger.pass_time().await;
    let gauges = ledger.store.gauges().await.unwrap();
    assert_eq!((gauges.workers, gauges.slots), (0, 0));
}
