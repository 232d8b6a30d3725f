//! A trace follows a job: the request that submits it, its wait, its attempts, and what follows from it.

use jobengine_domain::trace::TraceContext;
use jobengine_telemetry::trace::{Span, SpanKind};
use reqwest::Method;
use serde_json::{Value, json};

use crate::service::{Service, report, send};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

async fn run(service: &Service, flags: &str) {
    let body = json!({"jobs": [
        {"key": "first", "type": "t", "payload": 1},
        {"key": "second", "type": "t", "payload": 2, "parents": [{"key": "first"}]},
    ]});
    let request = service
        .ours()
        .request(Method::POST, "/runs")
        .header("traceparent", format!("00-{TRACE}-{PARENT}-{flags}"))
        .json(&body);
    send(request).await.ok(201);
}

fn named<'s>(spans: &'s [Span], name: &str) -> Vec<&'s Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

fn says(span: &Span, name: &str, value: &str) -> bool {
    span.attributes
        .iter()
        .any(|(known, said)| *known == name && said == value)
}

async fn done(service: &Service, outcome: Value) -> TraceContext {
    let grant = service.ours().claim(1, 2_000).await.remove(0);
    let mut said = report(&grant, outcome["outcome"].as_str().unwrap());
    if outcome["class"].is_string() {
        said["class"] = outcome["class"].clone();
    }
    service.ours().complete(json!([said])).await.ok(200);
    grant["traceparent"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_trace_follows_a_job_from_its_submit_through_its_attempts_to_its_children() {
    let (service, mut queue) = Service::traced().await;
    run(&service, "01").await;
    let first = done(&service, json!({"outcome": "succeeded"})).await;
    let second = done(&service, json!({"outcome": "failed", "class": "policy"})).await;
    let mut spans = queue.taken();
    spans.retain(|span| format!("{:032x}", span.context.trace) == TRACE);

    let request = named(&spans, "run_create");
    assert_eq!(request.len(), 1, "{spans:#?}");
    assert_eq!(format!("{:016x}", request[0].parent), PARENT);
    assert_eq!(request[0].kind, SpanKind::Server);
    assert!(says(request[0], "http.response.status_code", "201"));

    let (waits, attempts) = (named(&spans, "job wait"), named(&spans, "job attempt"));
    assert_eq!((waits.len(), attempts.len()), (2, 2), "{spans:#?}");
    for span in waits.iter().chain(&attempts) {
        assert_eq!(span.parent, request[0].context.span, "{span:?}");
        assert!(
            span.start <= span.end && says(span, "job.type", "t"),
            "{span:?}"
        );
    }
    // What a worker records is part of its attempt: the grant carries that span.
    assert_eq!(attempts[0].context, first);
    assert_eq!(attempts[1].context, second);
    assert_eq!(waits[0].end, attempts[0].start);
    assert_eq!(attempts[0].failure, None);
    assert_eq!(attempts[1].failure.as_deref(), Some("policy"));
    // The child follows from its parent's attempt.
    assert!(waits[0].links.is_empty());
    assert_eq!(waits[1].links, [first]);
}

#[tokio::test]
async fn a_trace_that_the_client_does_not_record_is_not_recorded_here_and_goes_on() {
    let (service, mut queue) = Service::traced().await;
    run(&service, "00").await;
    let context = done(&service, json!({"outcome": "succeeded"})).await;
    assert_eq!(format!("{:032x}", context.trace), TRACE);
    assert!(!context.sampled);
    let spans = queue.taken();
    assert!(
        !spans.iter().any(|span| span.context.trace == context.trace),
        "{spans:#?}"
    );
}
