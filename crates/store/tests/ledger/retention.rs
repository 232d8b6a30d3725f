//! What is kept for a time goes when it is over, and nothing else does.

use jobengine_domain::digest::Digest;
use jobengine_domain::time::Timestamp;
use jobengine_store::{Act, ActKey, Effect, Tx};
use tokio_postgres::NoTls;

use crate::house::Ledger;

/// Something past every wall.
async fn count(ledger: &Ledger, sql: &str) -> i64 {
    let (client, connection) = ledger.database.super_config().connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client.query_one(sql, &[]).await.unwrap().get(0)
}

async fn run_sql(ledger: &Ledger, sql: &str) {
    let (client, connection) = ledger.database.super_config().connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
}

fn act(key: &str) -> Act {
    Act {
        subject: "s".into(),
        credential: "key:1".into(),
        operation: "job_submit".into(),
        scope: "orch:submit".into(),
        reason: None,
        ticket: None,
        request_id: "r".into(),
        correlation_id: "c".into(),
        source: None,
        key: Some(ActKey {
            hash: Digest::of(key.as_bytes()),
            request: Digest::of(b"request"),
        }),
    }
}

async fn record(tx: &Tx, act: &Act) {
    let effect = Effect {
        act,
        object_kind: "job",
        object_id: "1",
        before: None,
        after: None,
        status: 201,
        answer: b"answer".to_vec(),
    };
    tx.acts_record(&[effect]).await.unwrap();
}

#[tokio::test]
async fn answers_are_forgotten_when_they_no_longer_count() {
    let ledger = Ledger::open().await;
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    for key in ["a", "b", "c"] {
        record(&tx, &act(key)).await;
    }
    tx.commit().await.unwrap();
    assert!(
        ledger
            .store
            .tenants_with_expired_answers()
            .await
            .unwrap()
            .is_empty()
    );
    let end = "UPDATE orch.idempotency SET expires_at = now() - interval '1 s'
        WHERE key_hash <> sha256('c')";
    run_sql(&ledger, end).await;
    assert_eq!(
        ledger.store.tenants_with_expired_answers().await.unwrap(),
        [ledger.caller.tenant]
    );
    for forgotten in [1, 1, 0] {
        let tx = ledger.store.begin(&ledger.caller).await.unwrap();
        assert_eq!(tx.idempotency_expire(1).await.unwrap(), forgotten);
        tx.commit().await.unwrap();
    }
    let left = "SELECT count(*) FROM orch.idempotency";
    assert_eq!(count(&ledger, left).await, 1);
    let (kept, tx) = (act("c"), ledger.store.begin(&ledger.caller).await.unwrap());
    let answered = tx.acts_answered(&[&kept]).await.unwrap();
    assert_eq!(answered[0].as_ref().unwrap().answer, b"answer");
}

#[tokio::test]
async fn lines_go_by_the_week_and_the_young_ones_stay() {
    let ledger = Ledger::open().await;
    run_sql(
        &ledger,
        "CREATE TABLE orch.job_log_old PARTITION OF orch.job_log
             FOR VALUES FROM (orch.uuid_floor(now() - interval '30 days')) TO (orch.uuid_floor(now() - interval '23 days'));
         ALTER TABLE orch.job_log_old OWNER TO orch_owner;
         INSERT INTO orch.job_log (tenant_id, job_id, log_id, attempt, logged_at, level, line, cut)
         SELECT tenant_id, gen_random_uuid(), orch.uuid_floor(now() - days * interval '1 day'), 1, now(), 'info', days, false
         FROM orch.tenant, unnest(ARRAY[25, 40, 6, 0]) AS days WHERE name = 'a'",
    )
    .await;
    // However late the moment that is asked for: a week is kept.
    let now = Timestamp::from_micros(i64::MAX / 2);
    assert_eq!(ledger.store.job_logs_trim(now).await.unwrap(), 1);
    assert_eq!(ledger.store.job_logs_trim(now).await.unwrap(), 0);
    let kept = "SELECT count(*) FROM orch.job_log WHERE line IN ('6', '0')";
    assert_eq!(count(&ledger, kept).await, 2);
    assert_eq!(count(&ledger, "SELECT count(*) FROM orch.job_log").await, 2);
}

/// A reader keeps its partition; the trim does not wait for it, nor others behind the trim.
#[tokio::test]
async fn what_is_being_read_is_left_for_the_next_time() {
    let ledger = Ledger::open().await;
    run_sql(
        &ledger,
        "CREATE TABLE orch.job_log_old PARTITION OF orch.job_log
             FOR VALUES FROM (orch.uuid_floor(now() - interval '30 days')) TO (orch.uuid_floor(now() - interval '23 days'));
         ALTER TABLE orch.job_log_old OWNER TO orch_owner",
    )
    .await;
    let (reader, connection) = ledger.database.super_config().connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    let read = "BEGIN; SELECT FROM orch.job_log";
    reader.batch_execute(read).await.unwrap();
    let now = Timestamp::from_micros(i64::MAX / 2);
    assert_eq!(ledger.store.job_logs_trim(now).await.unwrap(), 0);
    reader.batch_execute("COMMIT").await.unwrap();
    assert_eq!(ledger.store.job_logs_trim(now).await.unwrap(), 1);
}
