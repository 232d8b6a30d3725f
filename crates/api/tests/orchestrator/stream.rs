//! Submitting jobs as a stream of lines.

use serde_json::{Value, json};

use crate::service::{Person, Service};

async fn send(person: &Person, key: &str, lines: &str) -> Vec<Value> {
    let text = person
        .post_lines("/jobs/stream", key, lines.to_owned())
        .await;
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn every_line_is_answered_and_a_repeat_submits_nothing_twice() {
    let service = Service::start().await;
    let ours = service.ours();
    let mut lines: Vec<String> = (0..2_500)
        .map(|at| json!({"type": "t", "payload": at}).to_string())
        .collect();
    lines[3] = "{\"type\": \"t\"}".to_owned();
    lines[1_700] = "not json".to_owned();
    lines.insert(10, String::new());
    let all = lines.join("\n");
    // The connection broke off after the second slice: what came of the third was not whole.
    let first = send(&ours, "stream-1", &lines[..1_001].join("\n")).await;
    let again = send(&ours, "stream-1", &all).await;
    assert_eq!(again.len(), 2_500);
    let same = |(one, two): (&Value, &Value)| one["jobId"] == two["jobId"];
    assert!(
        first.iter().zip(&again).all(same),
        "the first slice was written before"
    );
    assert_eq!(first.len(), 1_000);
    assert_eq!(
        (&again[3]["line"], &again[3]["problem"]["code"]),
        (&json!(4), &json!("REQUEST_INVALID"))
    );
    assert_eq!(again[1_700]["line"], 1_702);
    assert_eq!(again[1_700]["problem"]["code"], "JSON_MALFORMED");
    let jobs: std::collections::BTreeSet<&str> = again
        .iter()
        .filter_map(|answer| answer["jobId"].as_str())
        .collect();
    assert_eq!(jobs.len(), 2_498);
    let summary = ours.get("/jobs/summary").await.ok(200);
    assert_eq!(summary["states"]["queued"], 2_498);
    let other = send(
        &ours,
        "stream-1",
        &json!({"type": "t", "payload": "other"}).to_string(),
    )
    .await;
    assert_eq!(other[0]["problem"]["code"], "IDEMPOTENCY_KEY_REUSED");
}
