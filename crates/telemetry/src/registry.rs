//! The registry: what a process records, made from the catalogue.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jobengine_domain::metric::{self, Kind, Metric, Unit};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::{self, Registry as Exposition, Unit as ShownUnit};

use crate::handle::{Age, Buckets, Counter, Gauge, Sizes, Timing};
use crate::series::Series;

/// The metrics of one process, or of one server of a test. Cheap to clone.
///
/// A handle is had for a row of the catalogue only. The first who asks for it registers the metric;
/// who asks later shares it.
#[derive(Clone, Default)]
pub struct Registry(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    exposition: Exposition,
    handles: BTreeMap<&'static str, Box<dyn Any + Send>>,
}

impl Registry {
    /// A registry with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// The handle of a counter.
    pub fn counter<const N: usize>(&self, row: &'static metric::Counter<N>) -> Counter<N> {
        self.handle(row.metric(), |row| {
            let series = Series::new(row, Default::default as fn() -> _);
            (Counter(series.clone()), series)
        })
    }

    /// The handle of a gauge.
    pub fn gauge<const N: usize>(&self, row: &'static metric::Gauge<N>) -> Gauge<N> {
        self.handle(row.metric(), |row| {
            let series = Series::new(row, Default::default as fn() -> _);
            (Gauge(series.clone()), series)
        })
    }

    /// The handle of an age.
    pub fn age<const N: usize>(&self, row: &'static metric::Age<N>) -> Age<N> {
        self.handle(row.metric(), |row| {
            let series = Series::new(row, Default::default as fn() -> _);
            (Age(series.clone()), series)
        })
    }

    /// The handle of a histogram of durations.
    pub fn timing<const N: usize>(&self, row: &'static metric::Timing<N>) -> Timing<N> {
        self.handle(row.metric(), |row| {
            let series = Series::new(row, buckets(row));
            (Timing(series.clone()), series)
        })
    }

    /// The handle of a histogram of counts.
    pub fn sizes<const N: usize>(&self, row: &'static metric::Sizes<N>) -> Sizes<N> {
        self.handle(row.metric(), |row| {
            let series = Series::new(row, buckets(row));
            (Sizes(series.clone()), series)
        })
    }

    /// Everything as `OpenMetrics` text.
    pub fn render(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.lock().exposition).expect("writing to a string cannot fail");
        text
    }

    /// The metrics of the catalogue that nobody records here.
    pub fn unrecorded(&self) -> Vec<&'static str> {
        let inner = self.lock();
        metric::all()
            .map(|row| row.name)
            .filter(|name| !inner.handles.contains_key(name))
            .collect()
    }

    fn handle<H, M>(&self, row: Metric, make: impl FnOnce(Metric) -> (H, M)) -> H
    where
        H: Clone + Send + 'static,
        M: registry::Metric,
    {
        let mut inner = self.lock();
        if let Some(known) = inner.handles.get(row.name) {
            let known = known.downcast_ref::<H>();
            return known
                .expect("a name stands once in the catalogue, with one type")
                .clone();
        }
        let (handle, shown) = make(row);
        inner.handles.insert(row.name, Box::new(handle.clone()));
        let (name, unit) = shown_name(&row);
        match unit {
            Some(unit) => inner
                .exposition
                .register_with_unit(name, row.help, unit, shown),
            None => inner.exposition.register(name, row.help, shown),
        }
        handle
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.lock().handles.keys()).finish()
    }
}

/// The name less what the encoder appends by itself.
fn shown_name(row: &Metric) -> (&'static str, Option<ShownUnit>) {
    let name = row.name;
    match (row.kind, row.kind.unit()) {
        (Kind::Counter, _) => (name.strip_suffix("_total").unwrap_or(name), None),
        (_, Unit::Seconds) => (
            name.strip_suffix("_seconds").unwrap_or(name),
            Some(ShownUnit::Seconds),
        ),
        (_, Unit::Count) => (name, None),
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::float_arithmetic,
    reason = "the text format has floats; bounds are far below 2^52"
)]
fn buckets(row: Metric) -> Buckets {
    let Kind::Histogram { unit, bounds } = row.kind else {
        return Buckets(Vec::new());
    };
    let shown = |bound: &u64| match unit {
        Unit::Count => *bound as f64,
        Unit::Seconds => *bound as f64 / 1e6,
    };
    Buckets(bounds.iter().map(shown).collect())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jobengine_domain::metric::{database, http, ledger};

    use super::*;

    #[test]
    fn what_is_recorded_is_shown_as_the_catalogue_says() {
        let registry = Registry::new();
        registry
            .counter(&http::REQUESTS)
            .inc(["jobs_submit", "201"]);
        registry
            .timing(&ledger::WAIT)
            .observe([], Duration::from_millis(3));
        registry.sizes(&http::FLUSH_ITEMS).observe(["submit"], 30);
        registry
            .age(&database::SNAPSHOT)
            .set([], Duration::from_millis(1_500));
        let open = registry.gauge(&http::CONNECTIONS).one([]);
        let text = registry.render();
        for line in [
            "# HELP jobengine_http_requests Requests answered.",
            "# TYPE jobengine_http_requests counter",
            "jobengine_http_requests_total{operation=\"jobs_submit\",status=\"201\"} 1",
            "# UNIT jobengine_job_wait_seconds seconds",
            "jobengine_job_wait_seconds_bucket{le=\"0.004\"} 1",
            "jobengine_job_wait_seconds_bucket{le=\"0.002\"} 0",
            "jobengine_flush_items_sum{kind=\"submit\"} 30.0",
            "jobengine_database_oldest_snapshot_age_seconds 1.5",
            "jobengine_http_connections 1",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        drop(open);
        assert!(registry.render().contains("jobengine_http_connections 0"));
    }

    #[test]
    fn closed_labels_are_there_from_the_start() {
        let registry = Registry::new();
        registry.counter(&ledger::ENDED);
        let text = registry.render();
        assert!(text.contains("jobengine_jobs_ended_total{state=\"timed_out\"} 0"));
    }

    #[test]
    fn handles_of_one_row_are_one_metric() {
        let registry = Registry::new();
        registry.counter(&ledger::CLAIMS).inc([]);
        registry.counter(&ledger::CLAIMS).inc([]);
        assert!(registry.render().contains("jobengine_claims_total 2"));
        assert!(!registry.unrecorded().contains(&"jobengine_claims_total"));
        assert!(registry.unrecorded().contains(&"jobengine_grants_total"));
    }

    #[test]
    fn the_number_of_series_is_bounded() {
        let registry = Registry::new();
        let problems = registry.counter(&http::PROBLEMS);
        for code in 0..2_000 {
            problems.inc([&format!("CODE_{code}")]);
        }
        let text = registry.render();
        assert!(
            text.contains("jobengine_http_problems_total{code=\"other\"} 1000"),
            "{text}"
        );
    }
}
