//! The catalogue of metrics: what is counted, in which unit, under which labels.
//!
//! One row says everything about a metric. What is registered, what `docs/metrics.md` shows and what
//! the tests compare a scrape with comes from here; a metric without a row cannot be made. Numbers
//! are whole: durations in microseconds until they are shown.

use std::marker::PhantomData;

pub mod audit;
pub mod database;
pub mod duty;
pub mod http;
mod label;
pub mod ledger;
mod page;
pub mod process;
pub mod scheduler;
pub mod stream;
pub mod webhook;

pub use page::markdown;

/// One row of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// As a scrape shows it, `_total` and the unit included.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Its dimensions, in order.
    pub labels: &'static [Label],
    /// What it means; no full stop.
    pub help: &'static str,
}

/// What a metric holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only rises, from 0 at the start of the process.
    Counter,
    /// Rises and falls.
    Gauge(Unit),
    /// How often a value fell under each bound.
    Histogram {
        /// Of the values as they are shown.
        unit: Unit,
        /// Upper bounds, rising: microseconds when the unit is seconds.
        bounds: &'static [u64],
    },
}

impl Kind {
    /// `counter`, `gauge` or `histogram`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge(_) => "gauge",
            Self::Histogram { .. } => "histogram",
        }
    }

    /// The unit of what is shown.
    pub const fn unit(self) -> Unit {
        match self {
            Self::Counter => Unit::Count,
            Self::Gauge(unit) | Self::Histogram { unit, .. } => unit,
        }
    }
}

/// The unit in which a metric is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Seconds; the name ends in `_seconds`.
    Seconds,
}

/// One dimension of a metric.
#[derive(Debug, Clone, Copy)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// What it may say.
    pub values: Values,
}

/// What a label may say. Nothing that a tenant writes: the number of series stays bounded, and no
/// tenant is told of another.
#[derive(Debug, Clone, Copy)]
pub enum Values {
    /// One of these. Every combination of them is shown from the start, as 0.
    Closed(&'static [&'static str]),
    /// Any of a set that is known elsewhere; in words.
    Open(&'static str),
}

impl Label {
    /// A label that says one of `values`.
    pub const fn closed(name: &'static str, values: &'static [&'static str]) -> Self {
        let values = Values::Closed(values);
        Self { name, values }
    }

    /// A label whose values are described.
    pub const fn open(name: &'static str, values: &'static str) -> Self {
        let values = Values::Open(values);
        Self { name, values }
    }
}

/// A row whose type says how it is used: `K` what is recorded, `N` how many labels go with it.
#[derive(Debug)]
pub struct Row<K, const N: usize> {
    name: &'static str,
    kind: Kind,
    labels: [Label; N],
    help: &'static str,
    recorded: PhantomData<fn() -> K>,
}

/// Counts events.
pub type Counter<const N: usize> = Row<Events, N>;
/// Shows how many there are.
pub type Gauge<const N: usize> = Row<Level, N>;
/// Shows how old something is.
pub type Age<const N: usize> = Row<Since, N>;
/// Sorts durations into buckets.
pub type Timing<const N: usize> = Row<Took, N>;
/// Sorts counts into buckets.
pub type Sizes<const N: usize> = Row<Amount, N>;

/// What a [`Counter`] records.
#[derive(Debug)]
pub enum Events {}
/// What a [`Gauge`] records.
#[derive(Debug)]
pub enum Level {}
/// What an [`Age`] records.
#[derive(Debug)]
pub enum Since {}
/// What a [`Timing`] records.
#[derive(Debug)]
pub enum Took {}
/// What a [`Sizes`] records.
#[derive(Debug)]
pub enum Amount {}

impl<K, const N: usize> Row<K, N> {
    const fn of(kind: Kind, name: &'static str, help: &'static str, labels: [Label; N]) -> Self {
        let recorded = PhantomData;
        Self {
            name,
            kind,
            labels,
            help,
            recorded,
        }
    }

    /// The row without its type.
    pub const fn metric(&'static self) -> Metric {
        Metric {
            name: self.name,
            kind: self.kind,
            labels: &self.labels,
            help: self.help,
        }
    }
}

impl<const N: usize> Counter<N> {
    const fn new(name: &'static str, help: &'static str, labels: [Label; N]) -> Self {
        Self::of(Kind::Counter, name, help, labels)
    }
}

impl<const N: usize> Gauge<N> {
    const fn new(name: &'static str, help: &'static str, labels: [Label; N]) -> Self {
        Self::of(Kind::Gauge(Unit::Count), name, help, labels)
    }
}

impl<const N: usize> Age<N> {
    const fn new(name: &'static str, help: &'static str, labels: [Label; N]) -> Self {
        Self::of(Kind::Gauge(Unit::Seconds), name, help, labels)
    }
}

impl<const N: usize> Timing<N> {
    const fn new(
        name: &'static str,
        help: &'static str,
        labels: [Label; N],
        bounds: &'static [u64],
    ) -> Self {
        let unit = Unit::Seconds;
        Self::of(Kind::Histogram { unit, bounds }, name, help, labels)
    }
}

impl<const N: usize> Sizes<N> {
    const fn new(
        name: &'static str,
        help: &'static str,
        labels: [Label; N],
        bounds: &'static [u64],
    ) -> Self {
        let unit = Unit::Count;
        Self::of(Kind::Histogram { unit, bounds }, name, help, labels)
    }
}

/// Writes rows down and lists them, so that none is left out of the catalogue.
macro_rules! rows {
    ($($row:ident: $shape:ty = $name:literal $labels:tt $(in $bounds:expr)?, $help:literal;)+) => {
        $(
            #[doc = concat!("`", $name, "`: ", $help, ".")]
            pub static $row: $shape = <$shape>::new($name, $help, $labels $(, $bounds)?);
        )+
        pub(super) static ROWS: &[crate::metric::Metric] = &[$($row.metric()),+];
    };
}
use rows;

/// A chapter of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Chapter {
    /// What its metrics are about.
    pub title: &'static str,
    /// Its rows.
    pub metrics: &'static [Metric],
}

/// Every metric there is.
pub static CATALOGUE: [Chapter; 9] = [
    chapter("The impact scheduler", scheduler::ROWS),
    chapter("Jobs", ledger::ROWS),
    chapter("HTTP", http::ROWS),
    chapter("Event streams", stream::ROWS),
    chapter("Webhooks", webhook::ROWS),
    chapter("Background passes", duty::ROWS),
    chapter("Audit trail", audit::ROWS),
    chapter("The database", database::ROWS),
    chapter("The process", process::ROWS),
];

const fn chapter(title: &'static str, metrics: &'static [Metric]) -> Chapter {
    Chapter { title, metrics }
}

/// Every row of the catalogue.
pub fn all() -> impl Iterator<Item = &'static Metric> {
    CATALOGUE.iter().flat_map(|chapter| chapter.metrics)
}

#[cfg(test)]
mod tests;
