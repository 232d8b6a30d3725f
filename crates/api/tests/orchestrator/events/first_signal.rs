//! The first word of a run.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::service::{Service, report};

#[tokio::test]
async fn the_first_signal_of_a_run_comes_once_and_keeps_its_tag() {
    let service = Service::start().await;
    let ours = service.ours();
    let run = json!({"jobs": [{"key": "a", "type": "t", "payload": 1}, {"key": "b", "type": "t", "payload": 2}]});
    let run = ours.post("/runs", &run).await.ok(201);
    let path = format!("/runs/{}/first-signal", run["runId"].as_str().unwrap());
    let ask = async |tag: Option<&str>, query: &str| {
        let mut request = ours.request(Method::GET, &format!("{path}{query}"));
        if let Some(tag) = tag {
            request = request.header("if-none-match", tag);
        }
        request.send().await.unwrap()
    };
    assert_eq!(ask(None, "").await.status(), 204);
    let waiting = ask(None, "?waitMs=20000");
    let claiming = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        ours.claim(1, 0).await.remove(0)
    };
    let (signal, grant) = tokio::join!(waiting, claiming);
    assert_eq!(signal.status(), 200);
    let tag = signal.headers()["etag"].to_str().unwrap().to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    let signal: Value = signal.json().await.unwrap();
    assert_eq!(signal["state"], "leased");
    assert_eq!(signal["jobId"], grant["jobId"]);
    ours.complete(json!([report(&grant, "succeeded")]))
        .await
        .ok(200);
    assert_eq!(ask(Some(&tag), "").await.status(), 304);
    assert_eq!(ask(Some("\"other\""), "").await.status(), 200);
    let none = "/runs/0190f1de-0000-7000-8000-000000000001/first-signal";
    assert_eq!(ours.get(none).await.problem(), (404, "NOT_FOUND"));
    let called_off = json!({"jobs": [{"key": "a", "type": "never", "payload": 1}]});
    let called_off = ours.post("/runs", &called_off).await.ok(201);
    let id = called_off["runId"].as_str().unwrap();
    ours.post(&format!("/runs/{id}:cancel"), &json!({}))
        .await
        .ok(200);
    let signal = ours.get(&format!("/runs/{id}/first-signal")).await.ok(200);
    assert_eq!(signal["state"], "canceled");
}
