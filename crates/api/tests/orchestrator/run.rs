//! Runs: jobs that wait for each other.

use serde_json::{Value, json};

use crate::service::{Service, report};

fn node(key: &str, parents: &[(&str, &str)]) -> Value {
    let parents: Vec<Value> = parents
        .iter()
        .map(|(key, policy)| json!({"key": key, "policy": policy}))
        .collect();
    json!({"key": key, "type": "t", "payload": key, "parents": parents})
}

#[tokio::test]
async fn children_start_when_their_parents_have_ended() {
    let service = Service::start().await;
    let ours = service.ours();
    // Children stand before their parents: the order of the request is free.
    let jobs = json!([
        node("last", &[("left", "require"), ("right", "always")]),
        node("right", &[("first", "require")]),
        node("never", &[("first", "onFailure")]),
        node("left", &[("first", "require")]),
        node("first", &[]),
    ]);
    let run = json!({"trigger": "manual", "correlationId": "c-7", "jobs": jobs});
    let created = ours.post("/runs", &run).await.ok(201);
    let keys: Vec<&Value> = created["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| &job["key"])
        .collect();
    assert_eq!(keys, ["last", "right", "never", "left", "first"]);

    let mut order = Vec::new();
    loop {
        let grants = ours.claim(10, 0).await;
        if grants.is_empty() {
            break;
        }
        let mut layer: Vec<String> = grants
            .iter()
            .map(|grant| grant["key"].as_str().unwrap().to_owned())
            .collect();
        layer.sort_unstable();
        order.push(layer.join(","));
        let reports: Vec<Value> = grants
            .iter()
            .map(|grant| report(grant, "succeeded"))
            .collect();
        ours.complete(json!(reports)).await.ok(200);
    }
    assert_eq!(order, ["first", "left,right", "last"]);

    let id = created["runId"].as_str().unwrap();
    let shown = ours.get(&format!("/runs/{id}")).await.ok(200);
    assert_eq!(shown["state"], "succeeded");
    assert_eq!(shown["correlationId"], "c-7");
    assert_eq!(shown["counts"]["succeeded"], 4);
    assert_eq!(shown["counts"]["skipped"], 1);
    let jobs = ours
        .get(&format!("/jobs?runId={id}&state=skipped"))
        .await
        .ok(200);
    assert_eq!(jobs["items"][0]["key"], "never");
    assert_eq!(ours.get("/runs").await.ok(200)["items"][0]["runId"], id);
}

#[tokio::test]
async fn an_unblocked_child_wakes_its_worker_at_once() {
    let service = Service::start().await;
    let ours = service.ours();
    let jobs = json!([node("a", &[]), node("b", &[("a", "require")])]);
    ours.post("/runs", &json!({"jobs": jobs})).await.ok(201);
    let grant = ours.claim(1, 0).await.remove(0);
    let waiting = tokio::spawn({
        let ours = ours.clone();
        async move { ours.claim(1, 10_000).await }
    });
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let done = std::time::Instant::now();
    ours.complete(json!([report(&grant, "succeeded")]))
        .await
        .ok(200);
    assert_eq!(waiting.await.unwrap()[0]["key"], "b");
    assert!(done.elapsed().as_millis() < 500, "{:?}", done.elapsed());
}

#[tokio::test]
async fn what_is_no_dag_is_refused_whole() {
    let service = Service::start().await;
    let ours = service.ours();
    for (jobs, words) in [
        (
            json!([
                node("a", &[("b", "require")]),
                node("b", &[("a", "require")])
            ]),
            "wait for each other: a, b",
        ),
        (
            json!([node("a", &[("a", "require")])]),
            "wait for each other: a",
        ),
        (
            json!([node("a", &[("z", "require")])]),
            "`z`, which is not a job of this run",
        ),
        (
            json!([node("a", &[]), node("a", &[])]),
            "two jobs are called `a`",
        ),
    ] {
        let answer = ours.post("/runs", &json!({"jobs": jobs})).await;
        assert_eq!(answer.problem(), (422, "DAG_INVALID"));
        assert!(
            answer.body["detail"].as_str().unwrap().contains(words),
            "{:#}",
            answer.body
        );
    }
    for (request, field) in [
        (json!({"jobs": []}), "jobs"),
        (json!({"jobs": [node("", &[])]}), "jobs[0].key"),
        (
            json!({"jobs": [node("a", &[("b", "maybe")])]}),
            "jobs[0].parents[0].policy",
        ),
        (
            json!({"jobs": [node("a", &[("b", "always"), ("b", "require")])]}),
            "jobs[0].parents[1].key",
        ),
        (
            json!({"trigger": "schedule", "jobs": [node("a", &[])]}),
            "trigger",
        ),
        (
            json!({"jobs": [{"key": "a", "type": "t", "payload": 1, "colour": 1}]}),
            "jobs[0].colour",
        ),
    ] {
        let answer = ours.post("/runs", &request).await;
        assert_eq!(answer.problem(), (422, "REQUEST_INVALID"));
        assert_eq!(
            answer.body["errors"][0]["field"], field,
            "{:#}",
            answer.body
        );
    }
    assert_eq!(ours.get("/runs").await.ok(200)["items"], json!([]));
}

#[tokio::test]
async fn a_canceled_run_ends_all_its_jobs() {
    let service = Service::start().await;
    let ours = service.ours();
    let jobs = json!([
        node("a", &[]),
        node("b", &[]),
        node("c", &[("a", "require")])
    ]);
    let run = ours.post("/runs", &json!({"jobs": jobs})).await.ok(201);
    let grant = ours.claim(1, 0).await.remove(0);
    let path = format!("/runs/{}:cancel", run["runId"].as_str().unwrap());
    assert_eq!(
        ours.post(&path, &json!({})).await.ok(200),
        json!({"canceled": 3})
    );
    let late = ours.complete(json!([report(&grant, "succeeded")])).await;
    assert_eq!(late.problem(), (409, "LEASE_LOST"));
    assert!(ours.claim(5, 0).await.is_empty());
}
