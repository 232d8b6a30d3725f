//! Segments: the slices of a run that workers take.

use std::collections::BTreeSet;

use jobengine_domain::defaults::{DAG_NODES_MAX, SEGMENT_IMAGES, SEGMENT_IMAGES_MAX};
use jobengine_domain::digest::Digest;
use serde::{Deserialize, Serialize};

/// Most images in a segment: 1 to [`SEGMENT_IMAGES_MAX`], [`SEGMENT_IMAGES`] by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentSize(usize);

/// A segment size out of bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a segment holds 1 to {SEGMENT_IMAGES_MAX} images, not {0}")]
pub struct SegmentSizeError(pub u32);

impl SegmentSize {
    /// Checks the bounds.
    ///
    /// # Errors
    /// [`SegmentSizeError`] on 0 and on more than [`SEGMENT_IMAGES_MAX`].
    pub fn new(images: u32) -> Result<Self, SegmentSizeError> {
        if images == 0 || images > SEGMENT_IMAGES_MAX {
            return Err(SegmentSizeError(images));
        }
        Ok(Self(images as usize))
    }

    /// A quarter of this size for each time after the first that its images were left out: what makes a
    /// segment fail is alone in it soon.
    #[must_use]
    pub fn split(self, tries: u32) -> Self {
        let halvings = tries.saturating_sub(1).saturating_mul(2);
        Self(self.0.checked_shr(halvings).unwrap_or(0).max(1))
    }

    /// This size, or a larger one where so many images would otherwise make more segments than a
    /// run has jobs ([`DAG_NODES_MAX`]).
    #[must_use]
    pub fn for_images(self, images: usize) -> Self {
        // Two kinds of segments are cut, so one more than the quotient tells may come out.
        Self(self.0.max(images.div_ceil(DAG_NODES_MAX - 1)))
    }
}

impl Default for SegmentSize {
    fn default() -> Self {
        Self(SEGMENT_IMAGES as usize)
    }
}

/// One slice of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Segment {
    /// Place in the run, from 0.
    pub ordinal: u32,
    /// Whether all packages of these images are evaluated, or only those of the run's scope.
    pub scope_all: bool,
    /// Sorted; never empty.
    pub images: Vec<Digest>,
}

/// Cuts two sets of images into segments: first those evaluated in full, then those evaluated for
/// some packages. An image in both is evaluated in full, once.
pub fn segments(
    full: &BTreeSet<Digest>,
    scoped: &BTreeSet<Digest>,
    size: SegmentSize,
) -> Vec<Segment> {
    let full: Vec<Digest> = full.iter().copied().collect();
    let scoped: Vec<Digest> = scoped
        .iter()
        .filter(|image| full.binary_search(image).is_err())
        .copied()
        .collect();
    let slices = |images: &[Digest], scope_all| {
        images
            .chunks(size.0)
            .map(|slice| (scope_all, slice.to_vec()))
            .collect::<Vec<_>>()
    };
    (0..)
        .zip(
            slices(&full, true)
                .into_iter()
                .chain(slices(&scoped, false)),
        )
        .map(|(ordinal, (scope_all, images))| Segment {
            ordinal,
            scope_all,
            images,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(numbers: std::ops::Range<u32>) -> BTreeSet<Digest> {
        numbers
            .map(|number| Digest::of(&number.to_le_bytes()))
            .collect()
    }

    #[test]
    fn a_run_never_has_more_segments_than_jobs() {
        let one = SegmentSize::new(1).unwrap();
        let (full, scoped) = (images(0..5_001), images(5_001..30_000));
        let size = one.for_images(full.len() + scoped.len());
        assert!(segments(&full, &scoped, size).len() <= DAG_NODES_MAX);
        assert_eq!(one.for_images(9_000), one);
    }

    #[test]
    fn what_fails_again_and_again_is_alone_soon() {
        let size = SegmentSize::default();
        let sizes = [0, 1, 2, 3, 5, 6, 32, 33, u32::MAX].map(|tries| size.split(tries).0);
        assert_eq!(sizes, [256, 256, 64, 16, 1, 1, 1, 1, 1]);
    }
}
