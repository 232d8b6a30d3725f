//! What the HTTP side records.

use std::sync::Arc;
use std::time::Duration;

use jobengine_domain::metric::{database, http, ledger, stream};
use jobengine_telemetry::{Counter, Gauge, Presence, Registry, Sizes, Timing};

use crate::problem::Code;

/// The handles of one server. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Metrics(Arc<Handles>);

#[derive(Debug)]
struct Handles {
    requests: Counter<2>,
    duration: Timing<1>,
    connections: Gauge<0>,
    problems: Counter<1>,
    auth_failures: Counter<1>,
    replays: Counter<1>,
    flush_requests: Sizes<1>,
    flush_items: Sizes<1>,
    flush_refused: Counter<1>,
    claims: Counter<0>,
    grants: Counter<0>,
    undelivered: Counter<0>,
    leases_lost: Counter<1>,
    database_unavailable: Counter<0>,
    streams: Gauge<1>,
    stream_events: Counter<0>,
    streams_ended: Counter<1>,
    streams_refused: Counter<1>,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> Self {
        Self(Arc::new(Handles {
            requests: registry.counter(&http::REQUESTS),
            duration: registry.timing(&http::DURATION),
            connections: registry.gauge(&http::CONNECTIONS),
            problems: registry.counter(&http::PROBLEMS),
            auth_failures: registry.counter(&http::AUTH_FAILURES),
            replays: registry.counter(&http::REPLAYS),
            flush_requests: registry.sizes(&http::FLUSH_REQUESTS),
            flush_items: registry.sizes(&http::FLUSH_ITEMS),
            flush_refused: registry.counter(&http::FLUSH_REFUSED),
            claims: registry.counter(&ledger::CLAIMS),
            grants: registry.counter(&ledger::GRANTS),
            undelivered: registry.counter(&ledger::UNDELIVERED),
            leases_lost: registry.counter(&ledger::LEASES_LOST),
            database_unavailable: registry.counter(&database::UNAVAILABLE),
            streams: registry.gauge(&stream::STREAMS),
            stream_events: registry.counter(&stream::EVENTS),
            streams_ended: registry.counter(&stream::ENDED),
            streams_refused: registry.counter(&stream::REFUSED),
        }))
    }

    pub(crate) fn request(&self, operation: &str, status: u16, took: Duration) {
        self.0.requests.inc([operation, &status.to_string()]);
        self.0.duration.observe([operation], took);
    }

    pub(crate) fn problem(&self, code: Code) {
        self.0.problems.inc([code.as_str()]);
        match code {
            Code::Unauthenticated => self.0.auth_failures.inc(["unauthenticated"]),
            Code::ScopeMissing => self.0.auth_failures.inc(["scope"]),
            Code::TenantMismatch => self.0.auth_failures.inc(["tenant"]),
            Code::DatabaseUnavailable => self.0.database_unavailable.inc([]),
            _ => {}
        }
    }

    pub(crate) fn replayed(&self, operation: &str) {
        self.0.replays.inc([operation]);
    }

    pub(crate) fn flush(&self, kind: &'static str, requests: usize, items: usize) {
        self.0.flush_requests.observe([kind], requests);
        self.0.flush_items.observe([kind], items);
    }

    pub(crate) fn full(&self, kind: &'static str) {
        self.0.flush_refused.inc([kind]);
    }

    pub(crate) fn claimed(&self, grants: usize) {
        self.0.claims.inc([]);
        self.0.grants.add([], grants as u64);
    }

    pub(crate) fn undelivered(&self, grants: usize) {
        self.0.undelivered.add([], grants as u64);
    }

    pub(crate) fn lease_lost(&self, operation: &str) {
        self.0.leases_lost.inc([operation]);
    }

    /// Counts a stream until the guard is dropped.
    pub(crate) fn stream(&self, kind: &'static str) -> Presence {
        self.0.streams.one([kind])
    }

    pub(crate) fn stream_events(&self, events: usize) {
        self.0.stream_events.add([], events as u64);
    }

    pub(crate) fn stream_ended(&self, reason: &'static str) {
        self.0.streams_ended.inc([reason]);
    }

    pub(crate) fn stream_refused(&self, kind: &'static str) {
        self.0.streams_refused.inc([kind]);
    }

    /// Counts a connection until the guard is dropped.
    pub(crate) fn connection(&self) -> Presence {
        self.0.connections.one([])
    }
}
