//! Transactions that meet in the middle: each test holds one of them back by a lock and lets another pass.

use std::time::Duration;

use crate::house::{Ledger, SESSION, accepted, job};
use jobengine_domain::id::{JobId, SessionId};
use jobengine_domain::lease::LeaseMs;
use jobengine_domain::state::Report;
use jobengine_impact::advisory::osv;
use jobengine_store::{Grant, Intake, StoreError, Tx, TypeClaim, WorkerSession};
use tokio_postgres::{Client, NoTls};

const OTHER: SessionId = SessionId(uuid::Uuid::from_u128(0x52));

/// A connection past every wall, to hold locks with.
async fn super_client(ledger: &Ledger) -> Client {
    let (client, connection) = ledger.database.super_config().connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Waits until some transaction of the service waits for a lock.
async fn until_somebody_waits(client: &Client) {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND usename = 'orch_app' AND wait_event_type = 'Lock'";
    loop {
        let row = client.query_one(waiting, &[]).await.unwrap();
        if row.get::<_, i64>(0) > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn claim_in(tx: &Tx, session: SessionId, limit: usize) -> Vec<Grant> {
    let opened = WorkerSession {
        id: session,
        worker: "w".into(),
        subject: tx.subject().into(),
        slots: None,
    };
    let lease = LeaseMs::new(30_000).unwrap();
    tx.sessions_open(&[opened], lease).await.unwrap();
    let sessions = vec![session; limit];
    let claim = TypeClaim::of("t", &sessions);
    tx.lease_claim(&[claim]).await.unwrap().concat()
}

#[tokio::test]
async fn the_reaper_leaves_a_grant_that_is_younger_than_what_it_saw() {
    let ledger = Ledger::open().await;
    let (run, _) = ledger.run(&[job()]).await;
    ledger.claim(1).await;
    let lone = ledger.submit(&[job()]).await[0];
    let held = ledger.claim(1).await.remove(0);
    assert_eq!(held.job, lone);
    ledger
        .sql("UPDATE orch.worker_session SET lease_until = now() - interval '1 s'")
        .await;

    // The reaper has seen both leases and waits for the run of the first one …
    let client = super_client(&ledger).await;
    client
        .batch_execute(&format!(
            "BEGIN; SELECT FROM orch.run WHERE run_id = '{run}' FOR UPDATE"
        ))
        .await
        .unwrap();
    let (store, tenant) = (ledger.store.clone(), ledger.caller.tenant);
    let reaper = tokio::spawn(async move { store.reap(tenant, 100).await });
    until_somebody_waits(&client).await;
    // … while the second job is given back and granted to a worker that is alive.
    assert_eq!(
        ledger.report(&held, Report::Released).await,
        accepted("queued")
    );
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    let fresh = claim_in(&tx, OTHER, 1).await.remove(0);
    tx.commit().await.unwrap();
    client.batch_execute("COMMIT").await.unwrap();

    assert_eq!(reaper.await.unwrap().unwrap(), 1);
    assert_eq!(ledger.state(lone).await, "leased");
    assert_eq!(
        ledger.report(&fresh, Report::Succeeded).await,
        accepted("succeeded")
    );
}

async fn cancel(ledger: &Ledger, jobs: &[JobId]) -> Result<usize, StoreError> {
    let tx = ledger.store.begin(&ledger.caller).await?;
    let ended = tx.jobs_cancel(jobs).await?;
    tx.commit().await?;
    Ok(ended)
}

#[tokio::test]
async fn a_cancel_catches_a_job_on_its_way_from_one_table_to_the_next() {
    let ledger = Ledger::open().await;
    let ids = ledger.submit(&[job(), job()]).await;
    ledger
        .sql(&format!(
            "WITH gone AS (DELETE FROM orch.ready WHERE job_id = '{}' RETURNING *)
             INSERT INTO orch.delayed SELECT tenant_id, job_id, job_type, sort_key, now() - interval '1 s', run_id,
                 attempts, crashes, max_attempts, max_crashes, deadline, has_children FROM gone",
            ids[1]
        ))
        .await;
    // The one is being granted, the other is being promoted, when the cancel comes.
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    let grant = claim_in(&tx, SESSION, 1).await.remove(0);
    assert_eq!(grant.job, ids[0]);
    tx.lease_promote(&["t"], 10).await.unwrap();
    let client = super_client(&ledger).await;
    let (ended, ()) = tokio::join!(cancel(&ledger, &ids), async {
        until_somebody_waits(&client).await;
        tx.commit().await.unwrap();
    });
    assert_eq!(ended.unwrap(), 2);
    for id in ids {
        assert_eq!(ledger.state(id).await, "canceled");
    }
}

/// Waits until no connection of the service stands in an open transaction.
async fn until_none_is_open(client: &Client) {
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND usename = 'orch_app' AND state = 'idle in transaction'";
    for _ in 0..600 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let row = client.query_one(open, &[]).await.unwrap();
        if row.get::<_, i64>(0) == 0 {
            return;
        }
    }
    panic!("a connection went back to its pool in the middle of a transaction");
}

#[tokio::test]
async fn who_stops_waiting_for_a_transaction_leaves_none_open() {
    let ledger = Ledger::open().await;
    let client = super_client(&ledger).await;
    for turns in 0..60 {
        // Its statements are prepared and cached: what is cut off below is the opening itself.
        let tx = ledger.store.begin(&ledger.caller).await.unwrap();
        tx.commit().await.unwrap();
        let mut opening = Box::pin(ledger.store.begin(&ledger.caller));
        for _ in 0..turns {
            tokio::select! {
                biased;
                _ = &mut opening => break,
                () = tokio::task::yield_now() => {}
            }
        }
        drop(opening);
        until_none_is_open(&client).await;
    }
}

/// Who changes its mind in the middle of a transaction costs nobody a connection, who stops listening does.
#[tokio::test]
async fn a_transaction_that_is_given_up_gives_back_its_connection() {
    let ledger = Ledger::open().await;
    let watcher = super_client(&ledger).await;
    let backends = async || -> Vec<i32> {
        let sql = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()
            AND usename = 'orch_app' AND backend_type = 'client backend' ORDER BY pid";
        let rows = watcher.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    };
    ledger.submit(&[job()]).await;
    let before = backends().await;
    for _ in 0..20 {
        let tx = ledger.store.begin(&ledger.caller).await.unwrap();
        tx.jobs_submit(None, &[job()]).await.unwrap();
        drop(tx);
        let tx = ledger.store.read(&ledger.caller).await.unwrap();
        assert_eq!(tx.job_counts().await.unwrap()["queued"], 1);
        drop(tx);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let after = backends().await;
    assert!(before.iter().all(|pid| after.contains(pid)), "{after:?}");

    watcher
        .batch_execute("BEGIN; LOCK TABLE orch.lease IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let tx = ledger.store.read(&ledger.caller).await.unwrap();
    let asked = tokio::time::timeout(Duration::from_millis(50), tx.job_counts()).await;
    assert!(asked.is_err());
    drop(tx);
    watcher.batch_execute("COMMIT").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(backends().await.len() < after.len());
}

/// Each version of an advisory starts from the one that the upload before has left, also where both bring a new record.
#[tokio::test]
async fn uploads_of_one_source_follow_each_other() {
    let ledger = Ledger::open().await;
    let version = |at: &str| osv::read(format!(r#"{{"id":"X-1","modified":"{at}"}}"#).as_bytes());
    let (first, second) = (
        version("2024-01-01T00:00:00Z").unwrap(),
        version("2024-01-02T00:00:00Z").unwrap(),
    );
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    let source = tx.source_ensure("osv").await.unwrap();
    tx.commit().await.unwrap();
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    let first = [first];
    let stored = tx.advisories_put(source, Intake::Delta, &first).await;
    assert_eq!(stored.unwrap().added, 1);
    let (store, caller) = (ledger.store.clone(), ledger.caller.clone());
    let later = tokio::spawn(async move {
        let tx = store.begin(&caller).await.unwrap();
        let stored = tx.advisories_put(source, Intake::Delta, &[second]).await;
        tx.commit().await.unwrap();
        stored.unwrap()
    });
    until_somebody_waits(&super_client(&ledger).await).await;
    tx.commit().await.unwrap();
    let stored = later.await.unwrap();
    assert_eq!((stored.added, stored.changed), (0, 1));
}
