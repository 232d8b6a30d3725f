//! Lists are read to their end, page by page, without gaps or repeats.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::service::{Person, Service, job};

async fn read_all(person: &Person, list: &str, id: &str, limit: usize) -> Vec<String> {
    let mut all = Vec::new();
    let mut token = String::new();
    loop {
        let page = person
            .get(&format!("{list}?limit={limit}{token}"))
            .await
            .ok(200);
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit);
        all.extend(
            items
                .iter()
                .map(|item| item[id].as_str().unwrap().to_owned()),
        );
        match &page["continuationToken"] {
            Value::String(next) if !items.is_empty() => {
                token = format!("&continuationToken={next}");
            }
            _ => return all,
        }
    }
}

#[tokio::test]
async fn pages_add_up_to_the_list() {
    let service = Service::start().await;
    let ours = service.ours();
    let ids = ours.submit(json!(vec![job(); 25])).await;
    for at in 0..7 {
        let jobs = json!([{"key": "a", "type": "r", "payload": at}]);
        ours.post("/runs", &json!({"jobs": jobs})).await.ok(201);
    }
    for limit in [1, 4, 25, 32, 500] {
        let jobs = read_all(&ours, "/jobs", "jobId", limit).await;
        assert_eq!(jobs[..25], ids, "oldest first");
        assert_eq!(jobs.len(), 32);
        assert_eq!(read_all(&ours, "/runs", "runId", limit).await.len(), 7);
    }
    // Events wait for every open transaction of the server, and other tests share it.
    let mut events = Vec::new();
    let started = std::time::Instant::now();
    while events.len() < 32 + 7 && started.elapsed().as_secs() < 20 {
        events = read_all(&ours, "/events", "eventId", 10).await;
    }
    assert_eq!(events.iter().collect::<BTreeSet<_>>().len(), events.len());
    assert_eq!(events.len(), 32 + 7);
    let other = ours.get("/jobs?limit=1").await.ok(200);
    let token = other["continuationToken"].as_str().unwrap();
    let answer = ours.get(&format!("/runs?continuationToken={token}")).await;
    assert_eq!(answer.problem(), (400, "PAGE_TOKEN_INVALID"));
}
