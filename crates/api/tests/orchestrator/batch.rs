//! Many clients at once share transactions.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::service::{SESSION, Service, job, report};

#[tokio::test]
async fn fifty_submitters_share_transactions() {
    let service = Service::start().await;
    let ours = service.ours();
    let submitters: Vec<_> = (0..50)
        .map(|at| {
            let ours = ours.clone();
            tokio::spawn(async move {
                let jobs: Vec<Value> = (0..=at % 3).map(|_| job()).collect();
                (jobs.len(), ours.submit(json!(jobs)).await)
            })
        })
        .collect();
    let mut ids = Vec::new();
    for submitter in submitters {
        let (asked, got) = submitter.await.unwrap();
        assert_eq!(asked, got.len(), "each gets its own answer");
        ids.extend(got);
    }
    let total = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), total);
    let flushes = service.sample("jobengine_flush_requests_count{kind=\"submit\"}");
    let requests = service.sample("jobengine_flush_requests_sum{kind=\"submit\"}");
    assert_eq!(requests, 50);
    assert!(
        flushes < requests,
        "{flushes} transactions for {requests} requests"
    );
}

#[tokio::test]
async fn many_workers_complete_and_heartbeat_together() {
    let service = Service::start().await;
    let ours = service.ours();
    ours.submit(json!(vec![job(); 80])).await;
    let grants = ours.claim(80, 0).await;
    assert_eq!(grants.len(), 80);
    let reporters: Vec<_> = grants
        .iter()
        .map(|grant| {
            let (ours, grant) = (ours.clone(), grant.clone());
            tokio::spawn(async move {
                let beat = json!({
                    "sessionId": SESSION,
                    "leases": [{"jobId": grant["jobId"], "leaseToken": grant["leaseToken"]}],
                });
                let beat = ours.post("/worker/heartbeat", &beat).await.ok(200);
                assert_eq!(beat["directives"][0]["directive"], "continue");
                ours.complete(json!([report(&grant, "succeeded")]))
                    .await
                    .ok(200)
            })
        })
        .collect();
    for reporter in reporters {
        assert_eq!(reporter.await.unwrap()["results"][0]["state"], "succeeded");
    }
    let flushes = service.sample("jobengine_flush_requests_count{kind=\"complete\"}");
    assert!(flushes < 80, "{flushes} transactions for 80 requests");
}

/// Somebody holds the lock of one job for long: its own report is refused, and neither the tenant's other
/// requests nor another tenant's wait as long as the lock is held.
#[tokio::test]
async fn a_locked_row_costs_its_own_request_and_no_neighbours() {
    let service = Service::start().await;
    let (ours, others) = (service.ours(), service.others());
    ours.submit(json!(vec![job(); 20])).await;
    let grants = ours.claim(20, 0).await;
    let config = service.database.super_config();
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let locked: uuid::Uuid = grants[0]["jobId"].as_str().unwrap().parse().unwrap();
    client.batch_execute("BEGIN").await.unwrap();
    let lock = "SELECT 1 FROM orch.lease WHERE job_id = $1 FOR UPDATE";
    assert_eq!(client.query(lock, &[&locked]).await.unwrap().len(), 1);

    let began = Instant::now();
    let reports = grants.iter().map(|grant| {
        let (ours, grant) = (ours.clone(), grant.clone());
        async move {
            let answer = ours.complete(json!([report(&grant, "succeeded")])).await;
            (answer, began.elapsed())
        }
    });
    let reports = futures_util::future::join_all(reports);
    let submits = async {
        for _ in 0..5 {
            let asked = Instant::now();
            others.submit(json!([job()])).await;
            ours.submit(json!([job()])).await;
            let took = asked.elapsed();
            assert!(took < Duration::from_secs(1), "a neighbour waited {took:?}");
        }
    };
    let (reports, ()) = tokio::join!(reports, submits);
    for (at, (answer, took)) in reports.into_iter().enumerate() {
        if at == 0 {
            assert_eq!(answer.problem(), (503, "OVERLOADED"));
        } else {
            assert_eq!(answer.status, 200, "{:#}", answer.body);
        }
        assert!(took < Duration::from_secs(2), "report {at} waited {took:?}");
    }
    client.batch_execute("ROLLBACK").await.unwrap();
    let again = ours
        .complete(json!([report(&grants[0], "succeeded")]))
        .await;
    assert_eq!(again.ok(200)["results"][0]["state"], "succeeded");
    connection.abort();
}
