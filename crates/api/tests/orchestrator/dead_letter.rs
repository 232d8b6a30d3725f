//! Dead letters: clustered, assigned, decided once.

use jobengine_domain::caller::Scope;
use serde_json::{Value, json};

use crate::service::{OURS, Person, Service, report};

/// Lets a job fail for good, with this detail; its id.
async fn dead(person: &Person, detail: &str) -> String {
    let id = person
        .submit(json!([{"type": "t", "payload": {"n": 1, "deep": {"a": true}}, "maxAttempts": 1}]))
        .await;
    let grants = person.claim(1, 1_000).await;
    let mut failed = report(&grants[0], "failed");
    failed["class"] = "schema".into();
    failed["detail"] = detail.into();
    person.complete(json!([failed])).await.ok(200);
    id[0].clone()
}

fn jobs(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["jobId"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn failures_of_one_cause_are_one_cluster() {
    let service = Service::start().await;
    let ours = service.ours();
    let first = dead(&ours, "record 17 of feed-3 has no id").await;
    let second = dead(&ours, "record 18 of feed-3 has no id").await;
    let third = dead(&ours, "unexpected end").await;
    let stats = ours.get("/dead-letters/stats").await.ok(200);
    assert_eq!(stats["open"], 3);
    let cluster = &stats["clusters"][0];
    assert_eq!(
        (&cluster["count"], &cluster["class"]),
        (&json!(2), &json!("schema"))
    );
    assert_eq!(cluster["signature"], "record <n> of feed-3 has no id");
    assert_eq!(cluster["sampleJobId"], second);

    let filtered = async |filter: &str| ours.get(&format!("/dead-letters?{filter}")).await.ok(200);
    assert_eq!(jobs(&filtered("").await), [&first[..], &second, &third]);
    assert_eq!(
        jobs(&filtered("signature=unexpected%20end").await),
        [&third]
    );
    assert_eq!(jobs(&filtered("class=network").await), [""; 0]);
    assert_eq!(
        jobs(&filtered("type=t&decision=open&limit=1").await),
        [&first]
    );
    let unknown = ours.get("/dead-letters?decision=perhaps").await;
    assert_eq!(unknown.problem(), (400, "PARAMETER_INVALID"));
    let others = service.others();
    assert_eq!(others.get("/dead-letters/stats").await.ok(200)["open"], 0);
    assert_eq!(
        others.get("/dead-letters").await.ok(200)["items"],
        json!([])
    );
}

#[tokio::test]
async fn a_dead_letter_is_decided_once() {
    let service = Service::start().await;
    let (ours, others) = (service.ours(), service.others());
    let job = dead(&ours, "unexpected end").await;
    let path = format!("/dead-letters/{job}");
    let owned = ours
        .post(&format!("{path}:assign"), &json!({"owner": "anna"}))
        .await
        .ok(200);
    assert_eq!(owned["owner"], "anna");
    assert_eq!(
        jobs(&ours.get("/dead-letters?owner=anna").await.ok(200)),
        [&job]
    );
    for verb in ["assign", "discard"] {
        let foreign = others
            .post(&format!("{path}:{verb}"), &json!({"owner": "eve"}))
            .await;
        assert_eq!(foreign.problem(), (404, "NOT_FOUND"), "{verb}");
    }
    let discarded = ours
        .post(&format!("{path}:discard"), &json!({}))
        .await
        .ok(200);
    assert_eq!(
        (&discarded["decision"], &discarded["decidedBy"]),
        (&json!("discarded"), &json!("ours"))
    );
    assert_eq!(ours.get(&path).await.ok(200), discarded);
    for verb in ["assign", "discard"] {
        let again = ours
            .post(&format!("{path}:{verb}"), &json!({"owner": null}))
            .await;
        assert_eq!(again.problem(), (409, "DEAD_LETTER_DECIDED"), "{verb}");
    }
}

#[tokio::test]
async fn an_edited_replay_keeps_what_was_edited() {
    let service = Service::start().await;
    let (ours, others) = (service.ours(), service.others());
    let job = dead(&ours, "unexpected end").await;
    let path = format!("/dead-letters/{job}:replay");
    let edit = json!({"payload": {"n": 2, "deep": {"a": true}}});
    assert_eq!(
        others.post(&path, &edit).await.problem(),
        (404, "NOT_FOUND")
    );
    let operator = service.acting("operator", OURS, &[Scope::Operate, Scope::Read]);
    assert_eq!(
        operator.post(&path, &edit).await.problem(),
        (403, "SCOPE_MISSING")
    );
    let replayed = ours.post(&path, &edit).await.ok(201);
    let diff = json!([{"op": "replace", "path": "/n", "before": 1, "after": 2}]);
    assert_eq!(
        (&replayed["replayOf"], &replayed["payloadDiff"]),
        (&json!(job), &diff)
    );
    let new = replayed["jobId"].as_str().unwrap();
    let new = ours.get(&format!("/jobs/{new}")).await.ok(200);
    assert_eq!(
        (&new["payload"], &new["priority"]),
        (&edit["payload"], &json!("high"))
    );
    let letter = ours.get(&format!("/dead-letters/{job}")).await.ok(200);
    assert_eq!(
        (&letter["decision"], &letter["payloadDiff"]),
        (&json!("replayed"), &diff)
    );
    let seen = operator.get(&format!("/dead-letters/{job}")).await.ok(200);
    assert_eq!(
        seen.get("payloadDiff"),
        None,
        "payloads have a scope of their own"
    );
    assert_eq!(
        ours.post(&path, &json!({})).await.problem(),
        (409, "DEAD_LETTER_DECIDED")
    );
}
