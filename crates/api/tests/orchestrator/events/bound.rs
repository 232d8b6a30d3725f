//! Streams hold places, and end when they must.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::reader::Stream;
use crate::service::{Service, job};

#[tokio::test]
async fn streams_end_at_once_when_the_service_stops() {
    let service = Service::start().await;
    let ours = service.ours();
    let mut stream = Stream::open(&ours, "/events/stream", None).await;
    ours.submit(json!([job()])).await;
    let last = stream.next().await.unwrap();
    service.shutdown.cancel();
    let end = stream.next().await.unwrap();
    assert_eq!(
        (end.event.as_str(), &end.data["reason"]),
        ("end", &json!("shutdown"))
    );
    assert!(!end.id.is_empty() && !last.id.is_empty());
    assert_eq!(stream.next().await, None);
    let stopped = tokio::time::timeout(Duration::from_secs(2), service.running);
    stopped.await.unwrap().unwrap();
}

#[tokio::test]
async fn places_are_bounded_and_given_back() {
    let service = Service::start().await;
    let ours = service.ours();
    let mut open = Vec::new();
    for _ in 0..50 {
        open.push(Stream::open(&ours, "/events/stream", None).await);
    }
    let refused = ours
        .request(Method::GET, "/events/stream")
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], "5");
    Stream::open(&service.others(), "/events/stream", None).await;
    assert!(service.sample("jobengine_streams{kind=\"sse\"}") >= 50);
    drop(open);
    let mut tries = 0;
    while service.sample("jobengine_streams{kind=\"sse\"}") > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        tries += 1;
        assert!(tries < 100, "a reader that went away keeps its place");
    }
    Stream::open(&ours, "/events/stream", None).await;
}
