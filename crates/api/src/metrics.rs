//! What an operator counts. One registry per server, so that tests do not share it.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// The counters of one server. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    latency: Family<OperationLabels, Histogram, fn() -> Histogram>,
    flush_requests: Family<FlushLabels, Histogram, fn() -> Histogram>,
    flush_items: Family<FlushLabels, Histogram, fn() -> Histogram>,
    refused_full: Family<FlushLabels, Counter>,
    claims: Counter,
    grants: Counter,
    undelivered: Counter,
    reports: Family<ReportLabels, Counter>,
    leases_lost: Family<OperationLabels, Counter>,
    database_unavailable: Counter,
    connections: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    operation: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    operation: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FlushLabels {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReportLabels {
    outcome: &'static str,
    class: &'static str,
}

fn latency() -> Histogram {
    // 0.25 ms to 32 s: a long poll ends at 30.
    Histogram::new(exponential_buckets(0.000_25, 2.0, 18))
}

fn sizes() -> Histogram {
    Histogram::new(exponential_buckets(1.0, 2.0, 15))
}

impl Metrics {
    /// A registry with every counter at zero.
    pub fn new() -> Self {
        let mut inner = Inner {
            registry: Registry::with_prefix("jobengine"),
            requests: Family::default(),
            latency: Family::new_with_constructor(latency),
            flush_requests: Family::new_with_constructor(sizes),
            flush_items: Family::new_with_constructor(sizes),
            refused_full: Family::default(),
            claims: Counter::default(),
            grants: Counter::default(),
            undelivered: Counter::default(),
            reports: Family::default(),
            leases_lost: Family::default(),
            database_unavailable: Counter::default(),
            connections: Gauge::default(),
        };
        inner.register();
        Self(Arc::new(inner))
    }

    /// Everything in the text format that scrapers of metrics read.
    pub fn render(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.0.registry).expect("writing to a string cannot fail");
        text
    }

    pub(crate) fn request(&self, operation: &str, status: u16, took: Duration) {
        let labels = RequestLabels {
            operation: operation.to_owned(),
            status,
        };
        self.0.requests.get_or_create(&labels).inc();
        let labels = OperationLabels {
            operation: operation.to_owned(),
        };
        self.0
            .latency
            .get_or_create(&labels)
            .observe(took.as_secs_f64());
    }

    pub(crate) fn flush(&self, kind: &'static str, requests: usize, items: usize) {
        let labels = FlushLabels { kind };
        self.0
            .flush_requests
            .get_or_create(&labels)
            .observe(size(requests));
        self.0
            .flush_items
            .get_or_create(&labels)
            .observe(size(items));
    }

    pub(crate) fn full(&self, kind: &'static str) {
        self.0
            .refused_full
            .get_or_create(&FlushLabels { kind })
            .inc();
    }

    pub(crate) fn claimed(&self, grants: usize) {
        self.0.claims.inc();
        self.0.grants.inc_by(grants as u64);
    }

    pub(crate) fn undelivered(&self, grants: usize) {
        self.0.undelivered.inc_by(grants as u64);
    }

    pub(crate) fn report(&self, outcome: &'static str, class: &'static str) {
        self.0
            .reports
            .get_or_create(&ReportLabels { outcome, class })
            .inc();
    }

    pub(crate) fn lease_lost(&self, operation: &str) {
        let labels = OperationLabels {
            operation: operation.to_owned(),
        };
        self.0.leases_lost.get_or_create(&labels).inc();
    }

    pub(crate) fn database_unavailable(&self) {
        self.0.database_unavailable.inc();
    }

    /// Counts a connection until the guard is dropped.
    pub(crate) fn connection(&self) -> ConnectionGuard {
        self.0.connections.inc();
        ConnectionGuard(self.clone())
    }
}

impl Inner {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "http_requests",
            "Requests answered, by operation and status",
            self.requests.clone(),
        );
        registry.register(
            "http_request_duration_seconds",
            "From the request's head to its answer; a claim's includes its wait",
            self.latency.clone(),
        );
        registry.register(
            "flush_requests",
            "Requests that shared one transaction, by kind",
            self.flush_requests.clone(),
        );
        registry.register(
            "flush_items",
            "Jobs, reports, sessions or grants in one transaction, by kind",
            self.flush_items.clone(),
        );
        registry.register(
            "flush_refused",
            "Requests refused because too many wait for a transaction, by kind",
            self.refused_full.clone(),
        );
        registry.register("claims", "Claims answered", self.claims.clone());
        registry.register("grants", "Jobs handed to workers", self.grants.clone());
        registry.register(
            "grants_undelivered",
            "Jobs given back because their claimer had gone",
            self.undelivered.clone(),
        );
        registry.register(
            "reports",
            "Reports accepted, by outcome and failure class",
            self.reports.clone(),
        );
        registry.register(
            "leases_lost",
            "Writes of workers refused because their lease was lost, by operation",
            self.leases_lost.clone(),
        );
        registry.register(
            "database_unavailable",
            "Times a request found PostgreSQL away",
            self.database_unavailable.clone(),
        );
        registry.register(
            "http_connections",
            "Connections open now",
            self.connections.clone(),
        );
    }
}

/// Counts a connection while it lives.
pub(crate) struct ConnectionGuard(Metrics);

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.0.0.connections.dec();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a histogram takes floats; batches are far below 2^52"
)]
fn size(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_shown() {
        let metrics = Metrics::new();
        metrics.request("jobs_submit", 201, Duration::from_millis(2));
        metrics.flush("submit", 3, 30);
        metrics.report("failed", "network");
        let text = metrics.render();
        for line in [
            "jobengine_http_requests_total{operation=\"jobs_submit\",status=\"201\"} 1",
            "jobengine_flush_requests_count{kind=\"submit\"} 1",
            "jobengine_flush_items_sum{kind=\"submit\"} 30.0",
            "jobengine_reports_total{outcome=\"failed\",class=\"network\"} 1",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
