//! What workers say between claim and report, and where it is read.

use jobengine_domain::caller::Scope;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::service::{OURS, SESSION, Service, job, report};

fn held(grant: &Value) -> Value {
    json!({"jobId": grant["jobId"], "leaseToken": grant["leaseToken"]})
}

#[tokio::test]
async fn a_beginning_and_its_progress_are_shown() {
    let service = Service::start().await;
    let ours = service.ours();
    let id = ours.submit(json!([job()])).await.remove(0);
    let grant = ours.claim(1, 0).await.remove(0);
    let ack = json!({"leases": [held(&grant)]});
    for _ in 0..2 {
        let answer = ours.post("/worker/ack", &ack).await.ok(200);
        assert_eq!(answer["results"][0]["accepted"], true);
    }
    let mut word = held(&grant);
    word["permille"] = json!(250);
    word["note"] = json!("a quarter");
    ours.post("/worker/progress", &json!({"reports": [word]}))
        .await
        .ok(200);
    let shown = ours.get(&format!("/jobs/{id}")).await.ok(200);
    assert_eq!(shown["underWay"]["permille"], 250);
    assert_eq!(shown["underWay"]["note"], "a quarter");
    assert!(shown["underWay"]["startedAt"].is_string());
    let beat = json!({
        "sessionId": SESSION, "leases": [held(&grant)],
        "progress": [{"jobId": id, "permille": 900}, {"jobId": Uuid::nil(), "permille": 1}],
    });
    ours.post("/worker/heartbeat", &beat).await.ok(200);
    let worker = ours.get(&format!("/workers/{SESSION}")).await.ok(200);
    assert_eq!(worker["jobs"][0]["underWay"]["permille"], 900);
    assert!(worker["heardAt"].is_string());
    ours.complete(json!([report(&grant, "succeeded")]))
        .await
        .ok(200);
    let late = ours.post("/worker/ack", &ack).await;
    assert_eq!(late.problem(), (409, "LEASE_LOST"));
    let history = ours.get(&format!("/jobs/{id}/history")).await.ok(200);
    assert!(history["attempts"][0]["startedAt"].is_string());
    let events = ours.get("/jobs?state=succeeded").await.ok(200);
    assert!(events["items"][0].get("underWay").is_none());
    let nobody = ours.get(&format!("/workers/{}", Uuid::max())).await;
    assert_eq!(nobody.problem(), (404, "NOT_FOUND"));
}

#[tokio::test]
async fn lines_are_kept_escaped_cut_and_apart_from_the_curious() {
    let service = Service::start().await;
    let ours = service.ours();
    let id = ours.submit(json!([job()])).await.remove(0);
    let grant = ours.claim(1, 0).await.remove(0);
    let line = |text: &str| {
        let mut line = held(&grant);
        line["line"] = json!(text);
        line
    };
    let mut warning = line("two\nlines \u{1b}[31m");
    warning["level"] = json!("warn");
    let mut foreign = line("not mine");
    foreign["leaseToken"] = json!(Uuid::nil());
    foreign["jobId"] = json!(Uuid::max());
    let lines = json!({"lines": [line("one"), warning, line(&"x".repeat(9_000)), foreign]});
    let written = ours.post("/worker/log", &lines).await.ok(200);
    assert_eq!(
        written,
        json!({"stored": 3, "cut": 1, "lost": [Uuid::max()]})
    );
    let path = format!("/jobs/{id}/logs");
    let first = ours.get(&format!("{path}?limit=2")).await.ok(200);
    assert_eq!(first["items"][0]["line"], "one");
    assert_eq!(first["items"][1]["line"], "two\\nlines \\u{1b}[31m");
    assert_eq!(first["items"][1]["level"], "warn");
    let token = first["continuationToken"].as_str().unwrap();
    let second = ours
        .get(&format!("{path}?limit=2&continuationToken={token}"))
        .await
        .ok(200);
    assert_eq!(second["items"][0]["cut"], true);
    assert_eq!(second["items"][0]["line"].as_str().unwrap().len(), 8_192);
    assert_eq!(second["continuationToken"], json!(null));
    let reader = service.acting("reader", OURS, &[Scope::Read]);
    assert_eq!(reader.get(&path).await.problem(), (403, "SCOPE_MISSING"));
    assert_eq!(
        service.others().get(&path).await.problem(),
        (404, "NOT_FOUND")
    );
    ours.complete(json!([report(&grant, "succeeded")]))
        .await
        .ok(200);
    let late = json!({"lines": [line("late")]});
    assert_eq!(
        ours.post("/worker/log", &late).await.problem(),
        (409, "LEASE_LOST")
    );
}

#[tokio::test]
async fn artifacts_are_listed_and_fetched() {
    let service = Service::start().await;
    let ours = service.ours();
    let id = ours.submit(json!([job()])).await.remove(0);
    let grant = ours.claim(1, 0).await.remove(0);
    let put = ours
        .request(
            reqwest::Method::PUT,
            &format!("/worker/artifacts/{id}/out.json"),
        )
        .header("x-lease-token", grant["leaseToken"].as_str().unwrap())
        .header("content-type", "application/json")
        .body("{\"a\":1}");
    assert_eq!(put.send().await.unwrap().status(), 201);
    let list = ours.get(&format!("/jobs/{id}/artifacts")).await.ok(200);
    assert_eq!(
        (&list["items"][0]["name"], &list["items"][0]["accepted"]),
        (&json!("out.json"), &json!(false))
    );
    ours.complete(json!([report(&grant, "succeeded")]))
        .await
        .ok(200);
    let list = ours.get(&format!("/jobs/{id}/artifacts")).await.ok(200);
    assert_eq!(list["items"][0]["accepted"], true);
    let path = format!("/jobs/{id}/artifacts/out.json");
    let fetched = ours
        .request(reqwest::Method::GET, &path)
        .send()
        .await
        .unwrap();
    assert_eq!(fetched.headers()["content-type"], "application/json");
    assert_eq!(fetched.headers()["content-disposition"], "attachment");
    assert_eq!(
        fetched.headers()["x-content-digest"],
        list["items"][0]["digest"].as_str().unwrap()
    );
    assert_eq!(fetched.text().await.unwrap(), "{\"a\":1}");
    let none = ours.get(&format!("/jobs/{id}/artifacts/none")).await;
    assert_eq!(none.problem(), (404, "NOT_FOUND"));
    assert_eq!(
        service.others().get(&path).await.problem(),
        (404, "NOT_FOUND")
    );
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_repeated() {
    let service = Service::start().await;
    let ours = service.ours();
    ours.submit(json!([job(), job(), job()])).await;
    let claim = |max: u32| json!({"sessionId": SESSION, "worker": "w", "types": ["t"], "max": max});
    let ask = async |key: &str, max: u32| ours.post_keyed("/worker/claim", key, &claim(max)).await;
    let first = ask("claim-1", 2).await.ok(200);
    let again = ask("claim-1", 2).await.ok(200);
    let tokens = |answer: &Value| -> Vec<Value> {
        let grants = answer["grants"].as_array().unwrap();
        grants
            .iter()
            .map(|grant| {
                json!([
                    grant["jobId"],
                    grant["leaseToken"],
                    grant["fence"],
                    grant["attempt"],
                    grant["payload"]
                ])
            })
            .collect()
    };
    assert_eq!(tokens(&first), tokens(&again));
    assert_eq!(tokens(&first).len(), 2);
    let other = ask("claim-1", 1).await;
    assert_eq!(other.problem(), (422, "IDEMPOTENCY_KEY_REUSED"));
    let grant = &first["grants"][0];
    ours.complete(json!([report(grant, "succeeded")]))
        .await
        .ok(200);
    let rest = ask("claim-1", 2).await.ok(200);
    assert_eq!(
        tokens(&rest),
        tokens(&first)[1..],
        "what has ended is not granted again"
    );
    assert_eq!(
        ask("claim-2", 2).await.ok(200)["grants"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_grant_that_no_heartbeat_names_ends_although_its_worker_goes_on_asking() {
    let service = Service::start().await;
    let ours = service.ours();
    let id = ours.submit(json!([job()])).await.remove(0);
    assert_eq!(ours.claim(1, 0).await.len(), 1);
    // The answer was lost: the worker knows of nothing, and asks on and on.
    service
        .sql(
            "UPDATE orch.lease SET granted_at = granted_at - interval '1 minute';
             UPDATE orch.worker_session SET created_at = created_at - interval '1 minute'",
        )
        .await;
    assert!(ours.claim(1, 0).await.is_empty());
    assert_eq!(ours.state(&id).await, "queued");
    let waits = ours.get(&format!("/jobs/{id}/explain")).await.ok(200);
    assert_eq!(waits["hold"], "backoff", "the attempt was counted");
}
