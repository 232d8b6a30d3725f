//! Many clients at once share transactions.

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
