//! What operators do with a job, and what they are told about it.

use serde_json::{Value, json};

use crate::service::{Person, Service, job, report};

#[tokio::test]
async fn a_backoff_is_explained_and_cut_short() {
    let service = Service::start().await;
    let ours = service.ours();
    let id = ours.submit(json!([job()])).await.remove(0);
    let waits = ours.get(&format!("/jobs/{id}/explain")).await.ok(200);
    assert_eq!(
        (&waits["hold"], &waits["ahead"]),
        (&json!("no_worker"), &json!(0))
    );
    let early = ours.post(&format!("/jobs/{id}:retry"), &json!({})).await;
    assert_eq!(early.problem(), (409, "CONFLICT"));
    let grant = ours.claim(1, 0).await.remove(0);
    let mut failed = report(&grant, "failed");
    failed["class"] = json!("network");
    ours.complete(json!([failed])).await.ok(200);
    let waits = ours.get(&format!("/jobs/{id}/explain")).await.ok(200);
    assert_eq!(waits["hold"], "backoff");
    assert!(waits["earliestAt"].as_str() > waits["at"].as_str());
    assert!(ours.claim(1, 0).await.is_empty());
    let now = ours
        .post(&format!("/jobs/{id}:retry"), &json!({}))
        .await
        .ok(200);
    assert_eq!(now["state"], "queued");
    let grant = ours.claim(1, 0).await.remove(0);
    assert_eq!(grant["attempt"], 2);
    let runs = ours.get(&format!("/jobs/{id}/explain")).await.ok(200);
    assert_eq!(
        (&runs["state"], &runs["hold"]),
        (&json!("leased"), &json!(null))
    );
    ours.complete(json!([report(&grant, "succeeded")]))
        .await
        .ok(200);
    let ended = ours.post(&format!("/jobs/{id}:retry"), &json!({})).await;
    assert_eq!(ended.problem(), (409, "CONFLICT"));
    assert!(ended.body["detail"].as_str().unwrap().contains("replay"));
    let history = ours.get(&format!("/jobs/{id}/history")).await.ok(200);
    let moments: Vec<&str> = history["moments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|moment| moment["what"].as_str().unwrap())
        .collect();
    let expected = [
        "job.submitted",
        "job.leased",
        "job.queued",
        "job.leased",
        "job.succeeded",
    ];
    assert_eq!(moments, expected);
    assert_eq!(history["attempts"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_replay_is_a_new_job_and_decides_the_dead_letter() {
    let service = Service::start().await;
    let ours = service.ours();
    let id = ours
        .submit(json!([{"type": "t", "payload": {"n": 7}, "tags": ["a"], "maxAttempts": 1}]))
        .await
        .remove(0);
    let early = ours.post(&format!("/jobs/{id}:replay"), &json!({})).await;
    assert_eq!(early.problem(), (409, "CONFLICT"));
    let grant = ours.claim(1, 0).await.remove(0);
    let mut failed = report(&grant, "failed");
    failed["class"] = json!("schema");
    ours.complete(json!([failed])).await.ok(200);
    let replayed = ours
        .post(&format!("/jobs/{id}:replay"), &json!({}))
        .await
        .ok(201);
    assert_eq!(replayed["replayOf"], id.as_str());
    let new = ours
        .get(&format!("/jobs/{}", replayed["jobId"].as_str().unwrap()))
        .await
        .ok(200);
    assert_eq!(new["replayOf"], id.as_str());
    assert_eq!(new["priority"], "high");
    assert_eq!(
        (&new["payload"], &new["tags"]),
        (&json!({"n": 7}), &json!(["a"]))
    );
    let letters = ours.get("/dead-letters").await.ok(200);
    assert_eq!(letters["items"][0]["decision"], "replayed");
    assert_eq!(
        ours.state(&id).await,
        "failed",
        "the old job stays what it is"
    );
}

#[tokio::test]
async fn a_prioritized_job_goes_first() {
    let service = Service::start().await;
    let ours = service.ours();
    let ids = ours.submit(json!([job(), job(), job()])).await;
    let path = format!("/jobs/{}:prioritize", ids[2]);
    ours.post(&path, &json!({"priority": "emergency"}))
        .await
        .ok(200);
    let shown = ours.get(&format!("/jobs/{}", ids[2])).await.ok(200);
    assert_eq!(shown["priority"], "emergency");
    let grants = ours.claim(3, 0).await;
    let order: Vec<&str> = grants
        .iter()
        .map(|grant| grant["jobId"].as_str().unwrap())
        .collect();
    assert_eq!(order, [&ids[2], &ids[0], &ids[1]]);
    for grant in &grants {
        ours.complete(json!([report(grant, "succeeded")]))
            .await
            .ok(200);
    }
    let ended = ours.post(&path, &json!({"priority": "low"})).await;
    assert_eq!(ended.problem(), (409, "CONFLICT"));
    let bad = ours.post(&path, &json!({"priority": "urgent"})).await;
    assert_eq!(bad.problem(), (422, "REQUEST_INVALID"));
    let foreign = service
        .others()
        .post(&path, &json!({"priority": "low"}))
        .await;
    assert_eq!(foreign.problem(), (404, "NOT_FOUND"));
}

#[tokio::test]
async fn a_blocked_job_names_whom_it_waits_for() {
    let service = Service::start().await;
    let ours = service.ours();
    let run = json!({"jobs": [
        {"key": "a", "type": "t", "payload": 1},
        {"key": "b", "type": "t", "payload": 1, "parents": [{"key": "a"}]},
    ]});
    let made = ours.post("/runs", &run).await.ok(201);
    let child = made["jobs"][1]["jobId"].as_str().unwrap();
    let waits = ours.get(&format!("/jobs/{child}/explain")).await.ok(200);
    assert_eq!(waits["hold"], "dependency");
    assert_eq!(waits["waitsFor"][0]["key"], "a");
    assert_eq!(waits["earliestAt"], json!(null));
}

/// The address of an answer's successor.
fn link(answer: &reqwest::Response) -> String {
    let link = answer.headers()["link"].to_str().unwrap();
    let (address, rest) = link.strip_prefix('<').unwrap().split_once('>').unwrap();
    assert_eq!(rest, "; rel=\"successor-version\"");
    address.to_owned()
}

/// What is answered where a former address says that one should go.
async fn successor(person: &Person, former: &str) -> Value {
    let answer = person.request(reqwest::Method::GET, former).send().await;
    let address = link(&answer.unwrap());
    let path = address.strip_prefix("/api/v1/orchestrator").unwrap();
    person.get(path).await.ok(200)
}

#[tokio::test]
async fn the_former_addresses_say_that_they_go() {
    let service = Service::start().await;
    let ours = service.ours();
    let id = ours.submit(json!([job()])).await.remove(0);
    let detail = ours.request(reqwest::Method::GET, &format!("/jobs/{id}/detail"));
    let answer = detail.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    for header in ["deprecation", "sunset"] {
        assert!(answer.headers().contains_key(header), "{header}");
    }
    let whole: Value = answer.json().await.unwrap();
    assert_eq!(successor(&ours, &format!("/jobs/{id}/detail")).await, whole);
    let page = successor(&ours, "/jobs/summary").await;
    assert_eq!(page["items"][0]["jobId"], json!(id));
    // Also where the request is refused: what it names is no part of the address's structure.
    let bad = ours.request(reqwest::Method::GET, "/jobs/%7Ba%7D%3E%22/detail");
    let address = link(&bad.send().await.unwrap());
    assert_eq!(address, "/api/v1/orchestrator/jobs/%7Ba%7D%3E%22");
    let summary = ours.get("/jobs/summary").await.ok(200);
    assert_eq!(summary["states"]["queued"], 1);
    assert_eq!(summary["capped"], false);
}
