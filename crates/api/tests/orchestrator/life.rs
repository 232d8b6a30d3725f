//! The whole life of a job over HTTP.

use serde_json::json;

use crate::service::{Person, SESSION, Service, job, report};

#[tokio::test]
async fn a_job_is_submitted_claimed_held_completed_and_shown() {
    let service = Service::start().await;
    let ours = service.ours();
    let payload = r#"{"url": "https://a",  "n":1.50}"#;
    let body = format!(r#"{{"jobs":[{{"type":"t","payload":{payload},"correlationId":"c-81"}}]}}"#);
    let submitted = ours.post_text("/jobs", body).await.ok(201);
    let id = submitted["jobIds"][0].as_str().unwrap().to_owned();
    assert_eq!(ours.state(&id).await, "queued");

    let grant = ours.claim(10, 0).await.remove(0);
    assert_eq!(grant["jobId"], id);
    assert_eq!(grant["type"], "t");
    assert_eq!(grant["attempt"], 1);
    assert_eq!(grant["idempotencyKey"], id);
    assert_eq!(grant["correlationId"], "c-81");
    assert_eq!(grant["payload"]["n"], 1.5);
    assert_eq!(grant["leaseDurationMs"], 30_000);
    assert_eq!(grant["heartbeatMs"], 10_000);
    assert_ne!(grant["leaseId"], grant["leaseToken"]);
    assert_eq!(ours.state(&id).await, "leased");

    let beat = json!({
        "sessionId": SESSION,
        "leases": [{"jobId": id, "leaseToken": grant["leaseToken"]}],
        "progress": [{"jobId": id, "permille": 500, "note": "half"}],
    });
    let beat = ours.post("/worker/heartbeat", &beat).await.ok(200);
    assert_eq!(
        beat["directives"],
        json!([{"jobId": id, "directive": "continue"}])
    );

    let artifact = ours
        .request(
            reqwest::Method::PUT,
            &format!("/worker/artifacts/{id}/out.json"),
        )
        .header("x-lease-token", grant["leaseToken"].as_str().unwrap())
        .header("content-type", "application/json")
        .body("{}");
    let artifact = crate::service::send(artifact).await.ok(201);
    assert_eq!(artifact["bytes"], 2);

    let workers = ours.get("/workers").await.ok(200);
    assert_eq!(workers["items"][0]["worker"], "w");
    assert_eq!(workers["items"][0]["leases"], 1);

    let mut said = report(&grant, "succeeded");
    said["result"] = json!({"found": 3});
    let done = ours.complete(json!([said])).await.ok(200);
    assert_eq!(
        done["results"],
        json!([{"jobId": id, "accepted": true, "state": "succeeded"}])
    );

    let shown = ours.get(&format!("/jobs/{id}")).await.ok(200);
    assert_eq!(shown["result"], json!({"found": 3}));
    assert_eq!(shown["payload"]["url"], "https://a");
    assert_eq!(shown["attemptHistory"][0]["cause"], "succeeded");
    assert_eq!(shown["payloadDigest"], grant["payloadDigest"]);

    let (kinds, token) = events(&ours, 3).await;
    assert_eq!(kinds, ["job.submitted", "job.leased", "job.succeeded"]);
    let none = ours
        .get(&format!("/events?continuationToken={token}"))
        .await
        .ok(200);
    assert_eq!(none["items"], json!([]));
    assert!(none["continuationToken"].is_string(), "where to ask again");
}

/// Follows the events until so many have come: none passes a transaction that is still open anywhere in the server,
/// and other tests share it.
async fn events(person: &Person, count: usize) -> (Vec<String>, String) {
    let (mut kinds, mut query) = (Vec::new(), String::new());
    let started = std::time::Instant::now();
    loop {
        let page = person.get(&format!("/events{query}")).await.ok(200);
        let items = page["items"].as_array().unwrap();
        kinds.extend(
            items
                .iter()
                .map(|event| event["eventType"].as_str().unwrap().to_owned()),
        );
        let token = page["continuationToken"].as_str().unwrap();
        if kinds.len() >= count || started.elapsed().as_secs() > 20 {
            return (kinds, token.to_owned());
        }
        query = format!("?continuationToken={token}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_repeated_report_gets_the_first_answer_and_a_stale_one_none() {
    let service = Service::start().await;
    let ours = service.ours();
    let ids = ours.submit(json!([job(), job()])).await;
    let grants = ours.claim(2, 0).await;
    let first = report(&grants[0], "succeeded");
    let answer = ours.complete(json!([first])).await.ok(200);
    let repeat = report(&grants[0], "succeeded");
    assert_eq!(ours.complete(json!([repeat])).await.ok(200), answer);

    // The second job's worker falls silent; somebody else gets the job, and it comes back.
    service
        .sql("UPDATE orch.worker_session SET lease_until = now() - interval '1 s'")
        .await;
    service.store.reap(crate::service::OURS, 100).await.unwrap();
    service
        .sql("UPDATE orch.delayed SET ready_at = now() - interval '1 s'")
        .await;
    let again = ours.claim(1, 2_000).await.remove(0);
    assert_eq!(
        (&again["jobId"], &again["attempt"]),
        (&json!(ids[1]), &json!(2))
    );
    let stale = ours
        .complete(json!([report(&grants[1], "succeeded")]))
        .await;
    assert_eq!(stale.problem(), (409, "LEASE_LOST"));

    let both = json!([report(&grants[1], "succeeded"), report(&again, "succeeded")]);
    let both = ours.complete(both).await.ok(200);
    assert_eq!(both["results"][0]["accepted"], false);
    assert_eq!(both["results"][0]["problem"]["code"], "LEASE_LOST");
    assert_eq!(both["results"][1]["state"], "succeeded");
    assert_eq!(ours.state(&ids[1]).await, "succeeded");

    let beat = json!({
        "sessionId": SESSION,
        "leases": [{"jobId": ids[1], "leaseToken": grants[1]["leaseToken"]}],
    });
    let beat = ours.post("/worker/heartbeat", &beat).await.ok(200);
    assert_eq!(beat["directives"][0]["directive"], "leaseLost");
    assert!(service.sample("jobengine_leases_lost_total{operation=\"worker_complete\"}") >= 2);
}

#[tokio::test]
async fn failures_are_tried_again_and_end_as_dead_letters() {
    let service = Service::start().await;
    let ours = service.ours();
    let ids = ours
        .submit(json!([{"type": "t", "payload": null, "maxAttempts": 2}]))
        .await;
    for expected in ["queued", "failed"] {
        service
            .sql("UPDATE orch.delayed SET ready_at = now() - interval '1 s'")
            .await;
        let grant = ours.claim(1, 2_000).await.remove(0);
        let mut said = report(&grant, "failed");
        said["class"] = json!("network");
        said["detail"] = json!("no route");
        let answer = ours.complete(json!([said])).await.ok(200);
        assert_eq!(answer["results"][0]["state"], expected);
    }
    let letters = ours.get("/dead-letters").await.ok(200);
    assert_eq!(letters["items"][0]["jobId"], ids[0]);
    assert_eq!(letters["items"][0]["class"], "network");
    assert_eq!(letters["items"][0]["decision"], "open");
    let shown = ours.get(&format!("/jobs/{}", ids[0])).await.ok(200);
    assert_eq!(shown["attemptHistory"].as_array().unwrap().len(), 2);
    assert!(service.sample("jobengine_attempts_total{cause=\"failed\",class=\"network\"}") >= 2);
}

#[tokio::test]
async fn a_canceled_job_is_told_to_its_worker() {
    let service = Service::start().await;
    let ours = service.ours();
    let ids = ours.submit(json!([job()])).await;
    let grant = ours.claim(1, 0).await.remove(0);
    let path = format!("/jobs/{}:cancel", ids[0]);
    assert_eq!(
        ours.post(&path, &json!({})).await.ok(200),
        json!({"canceled": 1})
    );
    assert_eq!(
        ours.post(&path, &json!({})).await.ok(200),
        json!({"canceled": 0})
    );
    let beat = json!({
        "sessionId": SESSION,
        "leases": [{"jobId": ids[0], "leaseToken": grant["leaseToken"]}],
    });
    let beat = ours.post("/worker/heartbeat", &beat).await.ok(200);
    assert_eq!(beat["directives"][0]["directive"], "leaseLost");
    let late = ours.complete(json!([report(&grant, "succeeded")])).await;
    assert_eq!(late.problem(), (409, "LEASE_LOST"));
}
