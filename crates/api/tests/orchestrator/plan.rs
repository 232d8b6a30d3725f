//! The plan of a run, drawn; and a run done again from where it failed.

use serde_json::json;

use crate::service::{Service, report};

#[tokio::test]
async fn a_dag_and_its_gantt_are_drawn() {
    let service = Service::start().await;
    let ours = service.ours();
    let run = json!({"jobs": [
        {"key": "a", "type": "t", "payload": 1},
        {"key": "b", "type": "u", "payload": 1, "parents": [{"key": "a", "policy": "always"}]},
        {"key": "c", "type": "u", "payload": 1, "parents": [{"key": "a"}, {"key": "b"}]},
    ]});
    let made = ours.post("/runs", &run).await.ok(201);
    let path = format!("/runs/{}", made["runId"].as_str().unwrap());
    let dag = ours.get(&format!("{path}/dag")).await.ok(200);
    let keys: Vec<_> = dag["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| (&node["key"], &node["level"]))
        .collect();
    let expected = [
        (json!("a"), json!(0)),
        (json!("b"), json!(1)),
        (json!("c"), json!(2)),
    ];
    assert!(
        keys.iter()
            .zip(&expected)
            .all(|(found, (key, level))| found == &(key, level)),
        "{keys:?}"
    );
    assert_eq!(dag["levels"], 3);
    assert_eq!(dag["edges"].as_array().unwrap().len(), 3);
    assert_eq!(dag["edges"][0]["policy"], "always");
    let path_ids: Vec<_> = made["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["jobId"].clone())
        .collect();
    assert_eq!(dag["criticalPath"], json!(path_ids));
    let grant = ours.claim(1, 0).await.remove(0);
    ours.complete(json!([report(&grant, "succeeded")]))
        .await
        .ok(200);
    let gantt = ours.get(&format!("{path}/gantt")).await.ok(200);
    let rows = gantt["rows"].as_array().unwrap();
    assert_eq!(rows[0]["bars"][0]["cause"], "succeeded");
    assert_eq!(rows[1]["freeAt"], rows[0]["endedAt"]);
    assert_eq!(
        (&rows[2]["freeAt"], &rows[2]["bars"]),
        (&json!(null), &json!([]))
    );
    let foreign = service.others().get(&format!("{path}/dag")).await;
    assert_eq!(foreign.problem(), (404, "NOT_FOUND"));
}

#[tokio::test]
async fn a_failed_run_is_done_again_from_where_it_failed() {
    let service = Service::start().await;
    let ours = service.ours();
    let run = json!({"jobs": [
        {"key": "a", "type": "t", "payload": "a"},
        {"key": "b", "type": "t", "payload": "b", "parents": [{"key": "a"}], "maxAttempts": 1},
        {"key": "c", "type": "t", "payload": "c", "parents": [{"key": "a"}, {"key": "b"}]},
    ]});
    let made = ours.post("/runs", &run).await.ok(201);
    let path = format!("/runs/{}:retry", made["runId"].as_str().unwrap());
    assert_eq!(
        ours.post(&path, &json!({})).await.problem(),
        (409, "CONFLICT")
    );
    let grant = ours.claim(1, 0).await.remove(0);
    ours.complete(json!([report(&grant, "succeeded")]))
        .await
        .ok(200);
    let grant = ours.claim(1, 0).await.remove(0);
    let mut failed = report(&grant, "failed");
    failed["class"] = json!("schema");
    ours.complete(json!([failed])).await.ok(200);
    let again = ours.post(&path, &json!({})).await.ok(201);
    let keys: Vec<&str> = again["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["key"].as_str().unwrap())
        .collect();
    assert_eq!(keys, ["b", "c"]);
    assert_eq!(again["jobs"][0]["replayOf"], made["jobs"][1]["jobId"]);
    for payload in ["b", "c"] {
        let grant = ours.claim(1, 0).await.remove(0);
        assert_eq!(grant["payload"], payload);
        ours.complete(json!([report(&grant, "succeeded")]))
            .await
            .ok(200);
    }
    let new = ours
        .get(&format!("/runs/{}", again["runId"].as_str().unwrap()))
        .await
        .ok(200);
    assert_eq!(
        (&new["state"], &new["trigger"]),
        (&json!("succeeded"), &json!("replay"))
    );
    let path = format!("/runs/{}:retry", again["runId"].as_str().unwrap());
    assert_eq!(
        ours.post(&path, &json!({})).await.problem(),
        (409, "CONFLICT")
    );
}
