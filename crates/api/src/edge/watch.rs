//! The outermost layer: names the request, bounds its URL, writes problems, counts and logs.

use std::any::Any;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{RequestIds, harden};
use crate::metrics::Metrics;
use crate::problem::{Code, Problem};

/// Longest URL we take, in bytes.
const URL_MAX_BYTES: usize = 4 * 1024;

/// On an answer that was given before, to the same idempotency key.
pub(crate) const REPLAYED: &str = "idempotency-replayed";

/// Which operation answered; absent when no route matched.
#[derive(Debug, Clone)]
pub(crate) struct Operation(pub(crate) std::sync::Arc<str>);

pub(crate) async fn watch(
    State(metrics): State<Metrics>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let ids = RequestIds::read(request.headers());
    let method = request.method().clone();
    request.extensions_mut().insert(ids.clone());
    let url = request
        .uri()
        .path_and_query()
        .map_or(0, |url| url.as_str().len());
    let mut response = if url > URL_MAX_BYTES {
        let detail = format!("at most {URL_MAX_BYTES} bytes are taken");
        Problem::new(Code::UrlTooLong, detail).into_response()
    } else {
        next.run(request).await
    };
    let operation = response.extensions_mut().remove::<Operation>();
    let operation = operation
        .as_ref()
        .map_or("unmatched", |Operation(name)| name);
    let problem = response.extensions_mut().remove::<Problem>();
    if let Some(problem) = &problem {
        metrics.problem(problem.code());
        response = problem.response(&ids);
    }
    if response.headers().contains_key(REPLAYED) {
        metrics.replayed(operation);
    }
    harden(response.headers_mut(), &ids);
    let status = response.status().as_u16();
    metrics.request(operation, status, started.elapsed());
    tracing::debug!(
        operation,
        %method,
        status,
        code = problem.as_ref().map(|problem| problem.code().as_str()),
        request.id = ids.request_id,
        trace.id = ids.trace_id,
        correlation.id = ids.correlation_id,
        took_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        "answered {operation} with {status}"
    );
    response
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
