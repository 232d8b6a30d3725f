//! Sending spans to a collector: OTLP over HTTP, protobuf.

use std::time::{Duration, SystemTime};

use jobengine_domain::time::Timestamp;
use jobengine_domain::trace::TraceContext;
use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind as OtelKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _, SpanLinks};

use super::{Span, SpanKind, SpanQueue};

/// Spans sent together.
const BATCH_MAX: usize = 512;
/// Spans are gathered for so long.
const GATHER: Duration = Duration::from_millis(500);
/// The collector has so long to take a batch.
const SEND_MAX: Duration = Duration::from_secs(10);
/// A connection to the collector that is not used for so long is closed: nobody notices there that it is gone.
const REST_MAX: Duration = Duration::from_secs(15);
/// Where a collector takes traces, below its endpoint (OTLP specification, "OTLP/HTTP Request").
const PATH: &str = "/v1/traces";

/// A collector that cannot be spoken to.
#[derive(Debug, thiserror::Error)]
#[error("spans cannot be sent to the collector: {0}")]
pub struct CollectorError(String);

/// Sends what is queued to the collector at `endpoint` (such as `http://127.0.0.1:4318`) until nobody
/// holds the other end of the queue. Run it as a task.
///
/// # Errors
/// [`CollectorError`] when `endpoint` is no URL. That a collector does not answer is no error: its spans
/// are dropped and counted.
pub fn export(
    queue: SpanQueue,
    endpoint: &str,
    version: &'static str,
) -> Result<impl Future<Output = ()> + Send + use<>, CollectorError> {
    let endpoint = endpoint.trim_end_matches('/');
    let endpoint = if endpoint.ends_with(PATH) {
        endpoint.to_owned()
    } else {
        format!("{endpoint}{PATH}")
    };
    let client = reqwest::Client::builder()
        .timeout(SEND_MAX)
        .pool_idle_timeout(REST_MAX)
        .build()
        .map_err(|error| CollectorError(error.to_string()))?;
    let mut exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_endpoint(endpoint)
        .with_timeout(SEND_MAX)
        .build()
        .map_err(|error| CollectorError(error.to_string()))?;
    let resource = Resource::builder_empty()
        .with_service_name("jobengine")
        .with_attribute(KeyValue::new("service.version", version));
    exporter.set_resource(&resource.build());
    Ok(send(queue, exporter))
}

async fn send(mut queue: SpanQueue, exporter: SpanExporter) {
    let scope = InstrumentationScope::builder("jobengine").build();
    let mut batch = Vec::with_capacity(BATCH_MAX);
    let mut failing = false;
    while queue.spans.recv_many(&mut batch, BATCH_MAX).await > 0 {
        if batch.len() < BATCH_MAX {
            tokio::time::sleep(GATHER).await;
            let room = BATCH_MAX - batch.len();
            batch.extend(std::iter::from_fn(|| queue.spans.try_recv().ok()).take(room));
        }
        let spans: Vec<SpanData> = batch.drain(..).map(|span| data(span, &scope)).collect();
        let sent = spans.len() as u64;
        let taken = tokio::time::timeout(SEND_MAX, exporter.export(spans)).await;
        let failed = !matches!(taken, Ok(Ok(())));
        if failed {
            queue.dropped.add(["export_failed"], sent);
        } else {
            queue.exported.add([], sent);
        }
        // Once when it begins and once when it is over: a log of every batch would be noise.
        if failed != failing {
            failing = failed;
            if failed {
                tracing::warn!("the trace collector does not take spans; they are dropped");
            } else {
                tracing::info!("the trace collector takes spans again");
            }
        }
    }
}

fn data(span: Span, scope: &InstrumentationScope) -> SpanData {
    let mut links = SpanLinks::default();
    links.links = span
        .links
        .into_iter()
        .map(|link| Link::with_context(context(link)))
        .collect();
    SpanData {
        span_context: context(span.context),
        parent_span_id: SpanId::from(span.parent),
        parent_span_is_remote: span.parent_is_remote,
        span_kind: match span.kind {
            SpanKind::Server => OtelKind::Server,
            SpanKind::Consumer => OtelKind::Consumer,
            SpanKind::Internal => OtelKind::Internal,
        },
        name: span.name,
        start_time: moment(span.start),
        end_time: moment(span.end),
        attributes: span
            .attributes
            .into_iter()
            .map(|(name, value)| KeyValue::new(name, value))
            .collect(),
        dropped_attributes_count: 0,
        events: opentelemetry_sdk::trace::SpanEvents::default(),
        links,
        status: span.failure.map_or(Status::Unset, Status::error),
        instrumentation_scope: scope.clone(),
    }
}

fn context(context: TraceContext) -> SpanContext {
    SpanContext::new(
        TraceId::from(context.trace),
        SpanId::from(context.span),
        TraceFlags::new(u8::from(context.sampled)),
        false,
        TraceState::default(),
    )
}

fn moment(at: Timestamp) -> SystemTime {
    let since = Duration::from_micros(u64::try_from(at.as_micros()).unwrap_or(0));
    SystemTime::UNIX_EPOCH + since
}
