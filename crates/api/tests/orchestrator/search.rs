//! Finding jobs and runs over HTTP.

use serde_json::{Value, json};

use crate::service::{Service, report};

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    let id = |item: &Value| item["jobId"].as_str().unwrap().to_owned();
    items.iter().map(id).collect()
}

#[tokio::test]
async fn jobs_are_found_by_what_they_were_given() {
    let service = Service::start().await;
    let ours = service.ours();
    let jobs = ours
        .submit(json!([
            {"type": "t", "payload": 1, "tags": ["nightly", "x"], "source": "osv", "correlationId": "Batch-7"},
            {"type": "feed.fetch", "payload": 1, "tags": ["nightly"]},
            {"type": "t", "payload": 1, "source": "osv"},
        ]))
        .await;
    let find = async |query: &str| ids(&ours.get(&format!("/jobs?{query}")).await.ok(200));
    assert_eq!(find("tag=nightly").await, jobs[..2]);
    assert_eq!(find("tag=nightly&source=osv").await, jobs[..1]);
    assert_eq!(
        find("source=osv&order=newest").await,
        [&*jobs[2], &*jobs[0]]
    );
    assert_eq!(find("q=batch").await, jobs[..1]);
    assert_eq!(find("q=FEED").await, jobs[1..2]);
    assert_eq!(find(&format!("q={}", jobs[2])).await, jobs[2..]);
    assert_eq!(find("correlationId=Batch-7").await, jobs[..1]);
    assert_eq!(find("state=queued,leased").await, jobs);
    assert!(find("submittedTo=2020-01-01T00:00:00Z").await.is_empty());
    assert_eq!(find("submittedFrom=2020-01-01T00:00:00Z").await, jobs);
    let first = ours.get("/jobs?order=newest&limit=2").await.ok(200);
    assert_eq!(ids(&first), [&*jobs[2], &*jobs[1]]);
    let token = first["continuationToken"].as_str().unwrap();
    let rest = find(&format!("order=newest&limit=2&continuationToken={token}")).await;
    assert_eq!(rest, jobs[..1]);
    for (query, code) in [
        ("state=asleep", "PARAMETER_INVALID"),
        ("order=random", "PARAMETER_INVALID"),
        ("submittedFrom=yesterday", "PARAMETER_INVALID"),
        (&*format!("continuationToken={token}"), "PAGE_TOKEN_INVALID"),
    ] {
        let refused = ours.get(&format!("/jobs?{query}")).await;
        assert_eq!(refused.problem(), (400, code), "{query}");
    }
    let job = ours.get(&format!("/jobs/{}", jobs[0])).await.ok(200);
    assert_eq!(job["tags"], json!(["nightly", "x"]));
    assert_eq!(job["source"], "osv");
    let others = service.others().get("/jobs?tag=nightly").await.ok(200);
    assert_eq!(others["items"], json!([]));
}

#[tokio::test]
async fn tags_have_bounds() {
    let service = Service::start().await;
    let ours = service.ours();
    for tags in [
        json!(["a,b"]),
        json!([""]),
        json!(vec!["t"; 17]),
        json!(["x".repeat(65)]),
    ] {
        let jobs = json!({"jobs": [{"type": "t", "payload": 1, "tags": tags}]});
        assert_eq!(
            ours.post("/jobs", &jobs).await.problem(),
            (422, "REQUEST_INVALID"),
            "{tags}"
        );
    }
}

#[tokio::test]
async fn runs_are_found_by_state_trigger_and_time() {
    let service = Service::start().await;
    let ours = service.ours();
    let mut runs = Vec::new();
    for _ in 0..3 {
        let run = json!({"jobs": [{"key": "a", "type": "t", "payload": 1}]});
        let made = ours.post("/runs", &run).await.ok(201);
        runs.push(made["runId"].as_str().unwrap().to_owned());
    }
    let grant = ours.claim(1, 0).await.remove(0);
    ours.complete(json!([report(&grant, "succeeded")]))
        .await
        .ok(200);
    let find = async |query: &str| -> Vec<String> {
        let page = ours.get(&format!("/runs?{query}")).await.ok(200);
        let items = page["items"].as_array().unwrap();
        items
            .iter()
            .map(|run| run["runId"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(find("state=succeeded").await, runs[..1]);
    assert_eq!(find("state=queued,running").await, [&*runs[2], &*runs[1]]);
    assert_eq!(find("trigger=manual").await.len(), 3);
    assert!(find("trigger=replay").await.is_empty());
    assert!(find("createdTo=2020-01-01T00:00:00Z").await.is_empty());
    let bad = ours.get("/runs?trigger=whim").await;
    assert_eq!(bad.problem(), (400, "PARAMETER_INVALID"));
}
