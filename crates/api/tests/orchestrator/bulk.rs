//! Bulk actions: previewed, confirmed, done to exactly what was confirmed.

use jobengine_domain::caller::Scope;
use reqwest::Method;
use serde_json::{Value, json};

use crate::service::{Answer, OURS, Person, Service, report, send};

/// Jobs of this type; their ids.
async fn submit(person: &Person, kind: &str, count: usize) -> Vec<String> {
    let job = json!({"type": kind, "payload": 1, "maxAttempts": 1});
    person.submit(Value::Array(vec![job; count])).await
}

async fn preview(person: &Person, spec: &Value) -> Value {
    person.post("/bulk-actions:preview", spec).await.ok(200)
}

/// Takes an action as it was previewed, with or without saying why.
async fn take(person: &Person, spec: &Value, digest: &Value, why: bool) -> Answer {
    let mut body = spec.clone();
    body["planDigest"] = digest.clone();
    let mut request = person.request(Method::POST, "/bulk-actions").json(&body);
    if why {
        request = request
            .header("x-stella-operator-reason", "upstream is broken")
            .header("x-stella-operator-ticket", "T-1");
    }
    send(request).await
}

/// Slices, as the duty does them, until nothing is left.
async fn work(service: &Service) {
    while service.store.bulk_slice(OURS).await.unwrap().is_some() {}
}

async fn ended(service: &Service, person: &Person, taken: &Value) -> Value {
    work(service).await;
    let path = format!("/bulk-actions/{}", taken["bulkActionId"].as_str().unwrap());
    person.get(&path).await.ok(200)
}

#[tokio::test]
async fn an_action_is_done_to_what_was_confirmed() {
    let service = Service::start().await;
    let (ours, others) = (service.ours(), service.others());
    let jobs = submit(&ours, "t", 450).await;
    submit(&ours, "u", 3).await;
    submit(&others, "t", 2).await;
    let spec = json!({"action": "cancel", "jobs": {"type": "t"}});
    let plan = preview(&ours, &spec).await;
    assert_eq!(
        (&plan["count"], &plan["sample"][0]),
        (&json!(450), &json!(jobs[0]))
    );

    let unexplained = take(&ours, &spec, &plan["planDigest"], false).await;
    assert_eq!(unexplained.problem(), (422, "REASON_REQUIRED"));
    let other = json!({"action": "cancel", "jobs": {}});
    let swapped = take(&ours, &other, &plan["planDigest"], true).await;
    assert_eq!(swapped.problem(), (409, "PLAN_CHANGED"));
    let taken = take(&ours, &spec, &plan["planDigest"], true).await.ok(202);
    assert_eq!(
        (&taken["state"], &taken["total"]),
        (&json!("running"), &json!(450))
    );

    // What comes later is not meant; what ended meanwhile is counted apart.
    let late = submit(&ours, "t", 1).await;
    ours.post(&format!("/jobs/{}:cancel", jobs[7]), &json!({}))
        .await
        .ok(200);
    let done = ended(&service, &ours, &taken).await;
    assert_eq!(
        (&done["state"], &done["done"], &done["failed"]),
        (&json!("succeeded"), &json!(449), &json!(1))
    );
    assert_eq!(ours.state(&jobs[449]).await, "canceled");
    assert_eq!(ours.state(&late[0]).await, "queued");
    assert_eq!(preview(&others, &spec).await["count"], 2);
    let path = format!("/bulk-actions/{}", taken["bulkActionId"].as_str().unwrap());
    assert_eq!(others.get(&path).await.problem(), (404, "NOT_FOUND"));
    assert_eq!(
        others.get("/bulk-actions").await.ok(200)["items"],
        json!([])
    );
    // Three slices, each with an audit row of whoever asked.
    service.sql("DO $$ BEGIN ASSERT (SELECT count(*) FROM orch.audit WHERE operation = 'bulk_action_slice' \
        AND subject = 'ours' AND reason = 'upstream is broken') = 3; END $$").await;
}

#[tokio::test]
async fn a_changed_set_is_confirmed_anew() {
    let service = Service::start().await;
    let ours = service.ours();
    submit(&ours, "t", 2).await;
    let spec = json!({"action": "prioritize", "jobs": {"type": "t"}, "priority": "high"});
    let plan = preview(&ours, &spec).await;
    submit(&ours, "t", 1).await;
    let changed = take(&ours, &spec, &plan["planDigest"], false).await;
    assert_eq!(changed.problem(), (409, "PLAN_CHANGED"));
    let plan = preview(&ours, &spec).await;
    let taken = take(&ours, &spec, &plan["planDigest"], false).await.ok(202);
    let path = format!(
        "/bulk-actions/{}:cancel",
        taken["bulkActionId"].as_str().unwrap()
    );
    let stopped = ours.post(&path, &json!({})).await.ok(200);
    assert_eq!(
        (&stopped["state"], &stopped["done"]),
        (&json!("canceled"), &json!(0))
    );
    assert_eq!(ended(&service, &ours, &taken).await, stopped);
    for bad in [
        json!({"action": "cancel"}),
        json!({"action": "discard", "jobs": {}}),
        json!({"action": "cancel", "jobs": {}, "deadLetters": {}}),
        json!({"action": "prioritize", "jobs": {}}),
        json!({"action": "cancel", "jobs": {"states": ["failed"]}}),
        json!({"action": "cancel", "jobs": {"kind": "t"}}),
    ] {
        let refused = ours.post("/bulk-actions:preview", &bad).await;
        assert_eq!(refused.problem(), (422, "REQUEST_INVALID"), "{bad}");
    }
}

#[tokio::test]
async fn dead_letters_are_replayed_and_discarded_together() {
    let service = Service::start().await;
    let ours = service.ours();
    let jobs = submit(&ours, "t", 4).await;
    for (grant, detail) in ours
        .claim(4, 0)
        .await
        .iter()
        .zip(["a 1", "a 2", "a 3", "b"])
    {
        let mut failed = report(grant, "failed");
        failed["class"] = "schema".into();
        failed["detail"] = detail.into();
        ours.complete(json!([failed])).await.ok(200);
    }
    let replay = json!({"action": "replay", "deadLetters": {"signature": "a <n>"}});
    let plan = preview(&ours, &replay).await;
    assert_eq!(plan["count"], 3);
    let operator = service.acting("operator", OURS, &[Scope::Operate, Scope::Read]);
    let refused = take(&operator, &replay, &plan["planDigest"], true).await;
    assert_eq!(refused.problem(), (403, "SCOPE_MISSING"));
    let unexplained = take(&ours, &replay, &plan["planDigest"], false).await;
    assert_eq!(unexplained.problem(), (422, "REASON_REQUIRED"));
    let taken = take(&ours, &replay, &plan["planDigest"], true)
        .await
        .ok(202);
    assert_eq!(ended(&service, &ours, &taken).await["done"], 3);
    let letter = ours
        .get(&format!("/dead-letters/{}", jobs[0]))
        .await
        .ok(200);
    assert_eq!(
        (&letter["decision"], &letter["reason"]),
        (&json!("replayed"), &json!("upstream is broken"))
    );
    let new = letter["replayJobId"].as_str().unwrap();
    assert_eq!(
        ours.get(&format!("/jobs/{new}")).await.ok(200)["replayOf"],
        jobs[0]
    );

    let discard = json!({"action": "discard", "deadLetters": {}});
    let plan = preview(&ours, &discard).await;
    assert_eq!(plan["sample"], json!([jobs[3]]), "only open ones");
    let taken = take(&ours, &discard, &plan["planDigest"], false)
        .await
        .ok(202);
    assert_eq!(ended(&service, &ours, &taken).await["done"], 1);
    assert_eq!(ours.get("/dead-letters/stats").await.ok(200)["open"], 0);
}
