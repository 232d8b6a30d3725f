//! The series of one metric: a value for each combination of its labels.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jobengine_domain::metric::{Label, Metric, Values};
use prometheus_client::encoding::{
    EncodeLabel, EncodeLabelSet, EncodeMetric, LabelSetEncoder, MetricEncoder,
};
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// Most series of one metric. Further ones are counted together, under [`OTHER`].
pub(crate) const SERIES_MAX: usize = 1_000;
/// What a label says that would make one series too many, or that its closed set does not know.
pub(crate) const OTHER: &str = "other";

/// The values of a metric's labels, in their order.
#[derive(Debug, Clone)]
pub(crate) struct Labels<const N: usize> {
    names: &'static [Label],
    values: [String; N],
}

impl<const N: usize> Labels<N> {
    fn new(names: &'static [Label], values: [&str; N]) -> Self {
        let values = values.map(str::to_owned);
        Self { names, values }
    }
}

impl<const N: usize> PartialEq for Labels<N> {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

impl<const N: usize> Eq for Labels<N> {}

impl<const N: usize> Hash for Labels<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.values.hash(state);
    }
}

impl<const N: usize> EncodeLabelSet for Labels<N> {
    fn encode(&self, encoder: &mut LabelSetEncoder) -> fmt::Result {
        self.names
            .iter()
            .map(|label| label.name)
            .zip(self.values.iter().map(String::as_str))
            .try_for_each(|pair| EncodeLabel::encode(&pair, encoder.encode_label()))
    }
}

/// The series of one metric. Cheap to clone.
pub(crate) struct Series<M, C, const N: usize> {
    row: Metric,
    family: Family<Labels<N>, M, C>,
    made: Arc<AtomicUsize>,
}

impl<M, C: Clone, const N: usize> Clone for Series<M, C, N> {
    fn clone(&self) -> Self {
        Self {
            row: self.row,
            family: self.family.clone(),
            made: Arc::clone(&self.made),
        }
    }
}

impl<M, C, const N: usize> Series<M, C, N>
where
    M: TypedMetric + EncodeMetric + Clone + Send + Sync + fmt::Debug + 'static,
    C: MetricConstructor<M> + Clone + Send + Sync + fmt::Debug + 'static,
{
    /// The metric of a row. Where all labels are closed sets, every series is there from the start: a
    /// rate can be taken of what has not happened yet.
    pub(crate) fn new(row: Metric, make: C) -> Self {
        let family = Family::new_with_constructor(make);
        for values in combinations(row.labels) {
            let values: [&str; N] = values.try_into().expect("a value for each label");
            drop(family.get_or_create(&Labels::new(row.labels, values)));
        }
        Self {
            row,
            family,
            made: Arc::default(),
        }
    }

    pub(crate) fn clear(&self) {
        self.family.clear();
        self.made.store(0, Ordering::Relaxed);
    }

    /// The series of some values.
    pub(crate) fn with(&self, values: [&str; N]) -> M {
        let mut values = values;
        for (value, label) in values.iter_mut().zip(self.row.labels) {
            if let Values::Closed(known) = label.values
                && !known.contains(value)
            {
                debug_assert!(
                    false,
                    "{} has no {} `{value}`: add it to the catalogue",
                    self.row.name, label.name
                );
                *value = OTHER;
            }
        }
        let labels = Labels::new(self.row.labels, values);
        if let Some(known) = self.family.get(&labels) {
            return known.clone();
        }
        if self.made.fetch_add(1, Ordering::Relaxed) >= SERIES_MAX {
            let others = Labels::new(self.row.labels, [OTHER; N]);
            return self.family.get_or_create_owned(&others);
        }
        self.family.get_or_create_owned(&labels)
    }
}

/// What a scrape shows. A metric without labels is one sample, without an empty pair of braces.
impl<M, C, const N: usize> EncodeMetric for Series<M, C, N>
where
    M: TypedMetric + EncodeMetric + Clone + Send + Sync + fmt::Debug + 'static,
    C: MetricConstructor<M> + Clone + Send + Sync + fmt::Debug + 'static,
{
    fn encode(&self, encoder: MetricEncoder) -> fmt::Result {
        if N == 0 {
            return self.with([""; N]).encode(encoder);
        }
        self.family.encode(encoder)
    }

    fn metric_type(&self) -> MetricType {
        M::TYPE
    }
}

impl<M, C, const N: usize> fmt::Debug for Series<M, C, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row.name)
    }
}

/// Every combination of the values of closed labels; none when a label is open.
fn combinations(labels: &'static [Label]) -> Vec<Vec<&'static str>> {
    labels.iter().fold(vec![Vec::new()], |combined, label| {
        let values = match label.values {
            Values::Closed(values) => values,
            Values::Open(_) => &[],
        };
        combined
            .iter()
            .flat_map(|before| {
                values.iter().map(move |value| {
                    let mut longer = before.clone();
                    longer.push(*value);
                    longer
                })
            })
            .collect()
    })
}
