//! The outermost layer: names the request, bounds its URL, writes problems, counts and logs.

use std::any::Any;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jobengine_domain::time::Timestamp;
use jobengine_telemetry::trace::{Span, SpanKind};
use tracing::Instrument as _;

use super::{RequestIds, harden};
use crate::clock;
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// Longest URL we take, in bytes.
const URL_MAX_BYTES: usize = 4 * 1024;

/// On an answer that was given before, to the same idempotency key.
pub(crate) const REPLAYED: &str = "idempotency-replayed";

/// Which operation answered; absent when no route matched.
#[derive(Debug, Clone)]
pub(crate) struct Operation(pub(crate) std::sync::Arc<str>);

pub(crate) async fn watch(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let (started, began) = (Instant::now(), clock::wall());
    let metrics = state.metrics();
    let ids = RequestIds::read(request.headers());
    let method = request.method().clone();
    request.extensions_mut().insert(ids.clone());
    let url = request
        .uri()
        .path_and_query()
        .map_or(0, |url| url.as_str().len());
    // What is logged on the way carries these names; the guard adds whose request it is.
    let span = tracing::info_span!(
        "request",
        request.id = ids.request_id,
        trace.id = ids.trace_id,
        correlation.id = ids.correlation_id,
        tenant = tracing::field::Empty,
        project = tracing::field::Empty,
    );
    let mut response = if url > URL_MAX_BYTES {
        let detail = format!("at most {URL_MAX_BYTES} bytes are taken");
        Problem::new(Code::UrlTooLong, detail).into_response()
    } else {
        next.run(request).instrument(span.clone()).await
    };
    let operation = response.extensions_mut().remove::<Operation>();
    let operation = operation
        .as_ref()
        .map_or("unmatched", |Operation(name)| name);
    let problem = response.extensions_mut().remove::<Problem>();
    if let Some(problem) = &problem {
        metrics.problem(problem.code());
        let mut whole = problem.response(&ids);
        // What the layers in between have said of the request holds for a refused one too.
        response.headers_mut().remove(CONTENT_LENGTH);
        for (name, value) in response.headers() {
            whole.headers_mut().entry(name).or_insert(value.clone());
        }
        response = whole;
    }
    if response.headers().contains_key(REPLAYED) {
        metrics.replayed(operation);
    }
    harden(response.headers_mut(), &ids);
    let status = response.status().as_u16();
    metrics.request(operation, status, started.elapsed());
    let answered = Answered {
        operation,
        method: &method,
        status,
        took: started.elapsed(),
    };
    state.traces().record(answered.span(&ids, began));
    let _entered = span.enter();
    tracing::debug!(
        operation,
        %method,
        status,
        code = problem.as_ref().map(|problem| problem.code().as_str()),
        took_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        "answered {operation} with {status}"
    );
    response
}

/// What a request came to.
struct Answered<'a> {
    operation: &'a str,
    method: &'a Method,
    status: u16,
    took: Duration,
}

impl Answered<'_> {
    /// The span of the request, under the name that it went on with.
    fn span(&self, ids: &RequestIds, began: Timestamp) -> Span {
        let took = u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX);
        let end = began.as_micros().saturating_add_unsigned(took);
        let failed = self.status >= 500;
        let context = ids.traceparent().parse();
        Span {
            context: context.expect("the names of a request are those of a trace"),
            parent: ids.parent.map_or(0, |parent| parent.span),
            parent_is_remote: true,
            name: self.operation.to_owned().into(),
            kind: SpanKind::Server,
            start: began,
            end: Timestamp::from_micros(end),
            attributes: vec![
                ("http.request.method", self.method.to_string()),
                ("http.response.status_code", self.status.to_string()),
                ("request.id", ids.request_id.clone()),
                ("correlation.id", ids.correlation_id.clone()),
            ],
            links: Vec::new(),
            failure: failed.then(|| self.status.to_string()),
        }
    }
}

/// The answer when a handler panicked: a bug of ours, told to the log and to nobody else.
pub(crate) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(panic = text, "a handler panicked");
    drop(panic);
    Problem::new(Code::Internal, "the failure is in the log of the service").into_response()
}
