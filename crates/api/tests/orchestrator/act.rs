//! Acts: one effect a key, the same answer for its repeats, an audit row for each.

use reqwest::Method;
use serde_json::{Value, json};

use crate::service::{Answer, Person, Service, job, report};

/// Sends a body under a key; tells the answer, and whether it was given before.
async fn keyed(person: &Person, path: &str, key: &str, body: &Value) -> (Answer, bool) {
    let request = person.request(Method::POST, path);
    let mut request = request.json(body).build().unwrap();
    request
        .headers_mut()
        .insert("idempotency-key", key.parse().unwrap());
    let response = reqwest::Client::builder()
        .tls_certs_only([])
        .build()
        .unwrap()
        .execute(request)
        .await
        .unwrap();
    let replayed = response.headers().contains_key("idempotency-replayed");
    let status = response.status().as_u16();
    let body = response.json().await.unwrap();
    (Answer { status, body }, replayed)
}

async fn count(service: &Service, sql: &str) -> i64 {
    let config = service.database.super_config();
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_repeat_is_answered_alike_and_changes_nothing() {
    let service = Service::start().await;
    let ours = service.ours();
    let jobs = json!({"jobs": [job(), job()]});
    let (first, fresh) = keyed(&ours, "/jobs", "k-1", &jobs).await;
    let (again, replayed) = keyed(&ours, "/jobs", "k-1", &jobs).await;
    assert!(!fresh && replayed);
    assert_eq!(first.clone().ok(201), again.ok(201));
    let (other, _) = keyed(&ours, "/jobs", "k-1", &json!({"jobs": [job()]})).await;
    assert_eq!(other.problem(), (422, "IDEMPOTENCY_KEY_REUSED"));
    // Keys of different tenants, principals and operations never meet.
    let (theirs, replayed) = keyed(&service.others(), "/jobs", "k-1", &jobs).await;
    assert!(!replayed);
    assert_ne!(first.ok(201), theirs.ok(201));
    let run = json!({"jobs": [{"key": "a", "type": "t", "payload": 1}]});
    let (run, replayed) = keyed(&ours, "/runs", "k-1", &run).await;
    assert!(!replayed);
    run.ok(201);
    assert_eq!(count(&service, "SELECT count(*) FROM orch.job").await, 5);
    assert_eq!(count(&service, "SELECT count(*) FROM orch.audit").await, 3);
}

#[tokio::test]
async fn twins_have_one_effect() {
    let service = Service::start().await;
    let ours = service.ours();
    let jobs = json!({"jobs": [job()]});
    let run = json!({"jobs": [{"key": "a", "type": "t", "payload": 1}]});
    let turns = (0..12).map(|_| {
        let (ours, jobs, run) = (ours.clone(), jobs.clone(), run.clone());
        tokio::spawn(async move {
            let (submitted, _) = keyed(&ours, "/jobs", "twin", &jobs).await;
            let (created, _) = keyed(&ours, "/runs", "twin", &run).await;
            (submitted.ok(201), created.ok(201))
        })
    });
    let mut answers = Vec::new();
    for turn in turns.collect::<Vec<_>>() {
        answers.push(turn.await.unwrap());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    assert_eq!(count(&service, "SELECT count(*) FROM orch.job").await, 2);
    assert_eq!(count(&service, "SELECT count(*) FROM orch.audit").await, 2);
}

/// What waits behind a flush is done in one batch: its twins are told apart before the ledger has to.
#[tokio::test]
async fn twins_in_one_batch_have_one_effect() {
    let service = Service::start().await;
    let ours = service.ours();
    let jobs = json!({"jobs": [job()]});
    keyed(&ours, "/jobs", "warm", &jobs).await.0.ok(201);
    let (held, holder) = hold(&service, "orch.tenant_clock").await;
    let turns = (0..12).map(|turn| {
        let (ours, jobs) = (ours.clone(), jobs.clone());
        let key = if turn % 3 == 0 { "alone" } else { "twin" };
        tokio::spawn(async move { (key, keyed(&ours, "/jobs", key, &jobs).await.0.ok(201)) })
    });
    let turns: Vec<_> = turns.collect();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    held.batch_execute("COMMIT").await.unwrap();
    drop(held);
    holder.await.unwrap();
    let mut answers = std::collections::BTreeMap::new();
    for turn in turns {
        let (key, answer) = turn.await.unwrap();
        let first: &Value = answers.entry(key).or_insert_with(|| answer.clone());
        assert_eq!(*first, answer, "{key}");
    }
    assert_ne!(answers["alone"], answers["twin"]);
    assert_eq!(count(&service, "SELECT count(*) FROM orch.job").await, 3);
    assert_eq!(service.sample("jobengine_database_conflicts_total"), 0);
}

/// Nobody waits longer than a request may take for what another transaction locks, and all are told to try
/// again, on whatever connection they came.
#[tokio::test]
async fn a_lock_that_somebody_keeps_refuses_soon() {
    let service = Service::start().await;
    let ours = service.ours();
    let id = ours.submit(json!([job()])).await.remove(0);
    let (held, holder) = hold(&service, "orch.idempotency").await;
    let began = std::time::Instant::now();
    let turns = (0..24).map(|turn| {
        let (ours, id) = (ours.clone(), id.clone());
        tokio::spawn(async move {
            let path = if turn % 2 == 0 {
                "/jobs".to_owned()
            } else {
                format!("/jobs/{id}:prioritize")
            };
            let body = if turn % 2 == 0 {
                json!({"jobs": [job()]})
            } else {
                json!({"priority": "high"})
            };
            keyed(&ours, &path, &format!("k-{turn}"), &body).await.0
        })
    });
    for turn in turns.collect::<Vec<_>>() {
        let answer = turn.await.unwrap();
        let (status, code) = answer.problem();
        let soon = code == "OVERLOADED";
        assert!(status == 503 && soon, "{answer:?}");
    }
    assert!(began.elapsed().as_secs() < 9, "{:?}", began.elapsed());
    held.batch_execute("COMMIT").await.unwrap();
    drop(held);
    holder.await.unwrap();
    let (answer, _) = keyed(&ours, "/jobs", "k-0", &json!({"jobs": [job()]})).await;
    answer.ok(201);
}

/// Locks a table until the transaction of the client ends.
async fn hold(
    service: &Service,
    table: &str,
) -> (tokio_postgres::Client, tokio::task::JoinHandle<()>) {
    let config = service.database.super_config();
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    let holder = tokio::spawn(async move { drop(connection.await) });
    let lock = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
    client.batch_execute(&lock).await.unwrap();
    (client, holder)
}

#[tokio::test]
async fn what_starts_work_needs_a_key_and_what_is_refused_leaves_none() {
    let service = Service::start().await;
    let ours = service.ours();
    let mut request = ours
        .request(Method::POST, "/jobs")
        .json(&json!({"jobs": [job()]}))
        .build()
        .unwrap();
    request.headers_mut().remove("idempotency-key");
    let answer = service.http.execute(request).await.unwrap();
    assert_eq!(answer.status(), 400);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["code"], "IDEMPOTENCY_KEY_MISSING");
    let bad = json!({"jobs": []});
    let (refused, _) = keyed(&ours, "/jobs", "k", &bad).await;
    assert_eq!(refused.problem(), (422, "REQUEST_INVALID"));
    let (taken, replayed) = keyed(&ours, "/jobs", "k", &json!({"jobs": [job()]})).await;
    assert!(!replayed);
    taken.ok(201);
    assert_eq!(
        count(&service, "SELECT count(*) FROM orch.idempotency").await,
        1
    );
}

#[tokio::test]
async fn an_audit_row_says_who_did_what_and_why() {
    let service = Service::start().await;
    let ours = service.ours();
    let id = ours.submit(json!([job()])).await.remove(0);
    let cancel = ours
        .request(Method::POST, &format!("/jobs/{id}:cancel"))
        .header("x-stella-operator-reason", "not wanted any more")
        .header("x-stella-operator-ticket", "OPS-7")
        .header("x-request-id", "request-0001")
        .send()
        .await
        .unwrap();
    assert_eq!(cancel.status(), 200);
    let whole = format!(
        "SELECT count(*) FROM orch.audit WHERE subject = 'ours' AND credential LIKE 'jwt:%' AND operation = 'job_cancel'
         AND scope = 'orch:operate' AND object_kind = 'job' AND object_id = '{id}' AND reason = 'not wanted any more'
         AND ticket = 'OPS-7' AND request_id = 'request-0001' AND source = '127.0.0.1' AND after_digest IS NOT NULL"
    );
    assert_eq!(count(&service, &whole).await, 1);
    let long = ours
        .request(Method::POST, &format!("/jobs/{id}:cancel"))
        .header("x-stella-operator-reason", "x".repeat(257))
        .send()
        .await
        .unwrap();
    assert_eq!(long.status(), 400);
}

#[tokio::test]
async fn what_workers_do_is_on_record_once() {
    let service = Service::start().await;
    let ours = service.ours();
    ours.submit(json!([job(), job()])).await;
    let rows = async |operation: &str| {
        let sql = format!("SELECT count(*) FROM orch.audit WHERE operation = '{operation}'");
        count(&service, &sql).await
    };
    assert!(ours.claim(5, 0).await.len() == 2 && ours.claim(5, 0).await.is_empty());
    assert_eq!(
        rows("worker_claim").await,
        1,
        "a claim that gets nothing changes nothing"
    );
    ours.submit(json!([job()])).await;
    let grants = ours.claim(5, 0).await;
    let reports = json!([report(&grants[0], "succeeded")]);
    for _ in 0..2 {
        ours.complete(reports.clone()).await.ok(200);
    }
    assert_eq!(rows("worker_complete").await, 1, "a repeat changes nothing");
}
