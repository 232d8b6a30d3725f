use jobengine_domain::trace::TraceContext;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

fn span(name: &'static str, sampled: bool) -> Span {
    Span {
        context: TraceContext {
            trace: 7,
            span: 8,
            sampled,
        },
        parent: 9,
        parent_is_remote: true,
        name: name.into(),
        kind: SpanKind::Server,
        start: Timestamp::from_micros(1),
        end: Timestamp::from_micros(2),
        attributes: vec![("job.type", "scan".to_owned())],
        links: Vec::new(),
        failure: None,
    }
}

fn sample(registry: &Registry, name: &str) -> u64 {
    let text = registry.render();
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    value
        .and_then(|value| value.trim().parse().ok())
        .unwrap_or_else(|| panic!("{name} is not in\n{text}"))
}

#[tokio::test]
async fn a_full_queue_drops_and_counts() {
    let registry = Registry::new();
    let (traces, mut queue) = Traces::queued(&registry);
    for _ in 0..QUEUE_MAX + 3 {
        traces.record(span("a", true));
    }
    traces.record(span("not recorded", false));
    let dropped = r#"jobengine_trace_spans_dropped_total{reason="queue_full"}"#;
    assert_eq!(sample(&registry, dropped), 3);
    assert_eq!(queue.taken().len(), QUEUE_MAX);
}

#[tokio::test]
async fn spans_are_posted_to_the_collector() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let collector = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.windows(4).any(|bytes| bytes == b"scan") {
            assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
        }
        let answer =
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        String::from_utf8_lossy(&request).into_owned()
    });
    let registry = Registry::new();
    let (traces, queue) = Traces::queued(&registry);
    let sending = tokio::spawn(export(queue, &endpoint, "1.2.3").unwrap());
    traces.record(span("job attempt", true));
    let request = collector.await.unwrap();
    assert!(
        request.starts_with("POST /v1/traces HTTP/1.1\r\n"),
        "{request}"
    );
    for part in [
        "application/x-protobuf",
        "job attempt",
        "service.version",
        "1.2.3",
    ] {
        assert!(request.contains(part), "{part} is not in {request}");
    }
    drop(traces);
    sending.await.unwrap();
    assert_eq!(sample(&registry, "jobengine_trace_spans_exported_total"), 1);
}

#[tokio::test]
async fn a_collector_that_is_away_costs_its_spans_and_nothing_else() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let registry = Registry::new();
    let (traces, queue) = Traces::queued(&registry);
    let sending = tokio::spawn(export(queue, &endpoint, "1.2.3").unwrap());
    traces.record(span("lost", true));
    drop(traces);
    sending.await.unwrap();
    let dropped = r#"jobengine_trace_spans_dropped_total{reason="export_failed"}"#;
    assert_eq!(sample(&registry, dropped), 1);
}
