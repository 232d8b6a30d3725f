//! What records: one handle for each row of the catalogue that somebody uses. Cheap to clone.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter as Count;
use prometheus_client::metrics::family::MetricConstructor;
use prometheus_client::metrics::gauge::Gauge as Value;
use prometheus_client::metrics::histogram::Histogram;

use crate::series::Series;

/// Makes a histogram with bounds as they are shown.
#[derive(Debug, Clone)]
pub(crate) struct Buckets(pub(crate) Vec<f64>);

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

pub(crate) type Fresh<M> = fn() -> M;
pub(crate) type Seconds = Value<f64, AtomicU64>;

/// Counts events.
#[derive(Debug, Clone)]
pub struct Counter<const N: usize>(pub(crate) Series<Count, Fresh<Count>, N>);

impl<const N: usize> Counter<N> {
    /// Counts one.
    pub fn inc(&self, labels: [&str; N]) {
        self.0.with(labels).inc();
    }

    /// Counts several.
    pub fn add(&self, labels: [&str; N], events: u64) {
        self.0.with(labels).inc_by(events);
    }
}

/// Shows how many there are.
#[derive(Debug, Clone)]
pub struct Gauge<const N: usize>(pub(crate) Series<Value, Fresh<Value>, N>);

impl<const N: usize> Gauge<N> {
    /// There are so many now.
    pub fn set(&self, labels: [&str; N], level: u64) {
        let level = i64::try_from(level).unwrap_or(i64::MAX);
        self.0.with(labels).set(level);
    }

    /// There is one more until the guard is dropped.
    #[must_use = "one more is counted while the guard lives"]
    pub fn one(&self, labels: [&str; N]) -> Presence {
        let level = self.0.with(labels);
        level.inc();
        Presence(level)
    }

    /// Forgets what was said: for labels whose values come and go.
    pub fn clear(&self) {
        self.0.clear();
    }
}

/// Counts as one in a gauge while it lives.
#[derive(Debug)]
pub struct Presence(Value);

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Shows how old something is.
#[derive(Debug, Clone)]
pub struct Age<const N: usize>(pub(crate) Series<Seconds, Fresh<Seconds>, N>);

impl<const N: usize> Age<N> {
    /// It is so old now; zero when there is nothing.
    pub fn set(&self, labels: [&str; N], age: Duration) {
        self.0.with(labels).set(age.as_secs_f64());
    }
}

/// Sorts durations into buckets.
#[derive(Debug, Clone)]
pub struct Timing<const N: usize>(pub(crate) Series<Histogram, Buckets, N>);

impl<const N: usize> Timing<N> {
    /// It took so long.
    pub fn observe(&self, labels: [&str; N], took: Duration) {
        self.0.with(labels).observe(took.as_secs_f64());
    }
}

/// Sorts counts into buckets.
#[derive(Debug, Clone)]
pub struct Sizes<const N: usize>(pub(crate) Series<Histogram, Buckets, N>);

impl<const N: usize> Sizes<N> {
    /// There were so many.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a histogram takes floats; counts are far below 2^52"
    )]
    pub fn observe(&self, labels: [&str; N], amount: usize) {
        self.0.with(labels).observe(amount as f64);
    }
}
