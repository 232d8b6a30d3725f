//! What an evaluation changed, in five numbers.

use std::collections::BTreeMap;
use std::iter::Sum;
use std::ops::AddAssign;

use croaring::Bitmap;
use serde::{Deserialize, Serialize};

use crate::finding::{FindingSets, Weight};
use crate::severity::Severity;

/// How two states of the findings differ, counted in (image, purl, group).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeltaSummary {
    /// In the later state only.
    pub new: u64,
    /// In the earlier state only.
    pub fixed: u64,
    /// Critical in the later state and not so in the earlier: new, or worse than before.
    pub critical: u64,
    /// High in the later state and not so in the earlier: new, or rated anew.
    pub high: u64,
    /// Known to be exploited in the later state and not so in the earlier.
    pub kev: u64,
}

impl DeltaSummary {
    /// Compares two states.
    pub fn between(before: &FindingSets, after: &FindingSets) -> Self {
        let mut summary = Self::default();
        walk(before, after, |count, images| {
            *count(&mut summary) += images.cardinality();
        });
        summary
    }

    /// Compares two states image by image; images without a difference are left out.
    pub fn by_image(before: &FindingSets, after: &FindingSets) -> BTreeMap<u32, Self> {
        let mut by_image: BTreeMap<u32, Self> = BTreeMap::new();
        walk(before, after, |count, images| {
            for image in images.iter() {
                *count(by_image.entry(image).or_default()) += 1;
            }
        });
        by_image
    }

    /// Whether nothing differs.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// A counter of the summary, and for one finding the images that count.
type Count = fn(&mut DeltaSummary) -> &mut u64;

fn walk(before: &FindingSets, after: &FindingSets, mut tell: impl FnMut(Count, &Bitmap)) {
    for key in before.differing(after) {
        let mut count =
            |counter: Count, of: &FindingSets, not_in: &FindingSets, fits: fn(&Weight) -> bool| {
                tell(
                    counter,
                    &of.images_where(key, fits)
                        .andnot(&not_in.images_where(key, fits)),
                );
            };
        count(|sum| &mut sum.new, after, before, |_| true);
        count(|sum| &mut sum.fixed, before, after, |_| true);
        count(
            |sum| &mut sum.critical,
            after,
            before,
            |weight| weight.severity == Severity::Critical,
        );
        count(
            |sum| &mut sum.high,
            after,
            before,
            |weight| weight.severity == Severity::High,
        );
        count(|sum| &mut sum.kev, after, before, |weight| weight.kev);
    }
}

/// Segments hold different images, so their summaries add up.
impl AddAssign for DeltaSummary {
    fn add_assign(&mut self, other: Self) {
        self.new += other.new;
        self.fixed += other.fixed;
        self.critical += other.critical;
        self.high += other.high;
        self.kev += other.kev;
    }
}

impl Sum for DeltaSummary {
    fn sum<I: Iterator<Item = Self>>(summaries: I) -> Self {
        summaries.fold(Self::default(), |mut sum, summary| {
            sum += summary;
            sum
        })
    }
}
