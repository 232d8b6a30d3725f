//! What a worker found in one segment, as sets: each finding once, with the images that have it.

use std::collections::{BTreeMap, BTreeSet};

use jobengine_domain::canon::canonical;
use jobengine_domain::digest::Digest;
use serde::{Deserialize, Serialize};

use crate::evaluate::{Evaluation, Finding, Unjudged};
use crate::package::Package;
use crate::severity::Severity;
use crate::vex::Status;

/// The name of the artifact that holds a segment's result.
pub const ARTIFACT: &str = "findings.json";

/// The result of one segment. Equal evaluations give equal results, whatever the order of images.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SegmentResult {
    /// Every image that was evaluated, those without a finding included; sorted.
    pub images: Vec<Digest>,
    /// Sorted, those taken away by VEX included.
    pub findings: Vec<SetFinding>,
    /// What could not be judged.
    pub unmatched: BTreeSet<Unjudged>,
}

/// One finding and the images that have it exactly so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetFinding {
    /// The component, as its SBOM spells it.
    pub purl: String,
    /// The flaw.
    pub group: String,
    /// The component's package, as it was judged.
    pub package: Package,
    /// Whether its source package is assumed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub source_assumed: bool,
    /// Ids of all advisories that say so.
    pub advisories: BTreeSet<String>,
    /// The worst that any of them says.
    pub severity: Severity,
    /// Whether one of the flaws is known to be exploited.
    pub kev: bool,
    /// The version that is free of the flaw by every advisory that names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<String>,
    /// What VEX says.
    pub status: Status,
    /// Why VEX takes the finding away, where a statement says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justification: Option<String>,
    /// Places in [`SegmentResult::images`]; sorted, never empty.
    pub images: Vec<u32>,
}

/// Why bytes, or an evaluation, are no segment result.
#[derive(Debug, thiserror::Error)]
pub enum SegmentResultError {
    /// Not JSON of the shape of [`SegmentResult`].
    #[error("not a segment result")]
    Json(#[from] serde_json::Error),
    /// A list that must be sorted, with nothing in it twice, is not.
    #[error("{0} is not sorted, or holds something twice")]
    Unsorted(String),
    /// A finding names an image that was not evaluated.
    #[error("{finding} names image {image}, which was not evaluated")]
    ImageUnknown {
        /// Which finding.
        finding: String,
        /// The image, or its place.
        image: String,
    },
    /// A finding without images.
    #[error("{0} has no image")]
    NoImage(String),
}

impl SegmentResult {
    /// Gathers the findings of these images.
    ///
    /// # Errors
    /// [`SegmentResultError::ImageUnknown`] when a finding's image is not among `images`.
    pub fn new(
        images: impl IntoIterator<Item = Digest>,
        evaluation: Evaluation,
    ) -> Result<Self, SegmentResultError> {
        let images: BTreeSet<Digest> = images.into_iter().collect();
        let places: BTreeMap<String, u32> = images.iter().map(Digest::to_string).zip(0..).collect();
        let mut sets: BTreeMap<SetFinding, BTreeSet<u32>> = BTreeMap::new();
        for finding in evaluation.findings {
            let (image, finding) = split(finding);
            let place = places
                .get(&image)
                .ok_or_else(|| SegmentResultError::ImageUnknown {
                    finding: finding.name(),
                    image,
                })?;
            sets.entry(finding).or_default().insert(*place);
        }
        let findings = sets.into_iter().map(|(finding, images)| SetFinding {
            images: images.into_iter().collect(),
            ..finding
        });
        Ok(Self {
            images: images.into_iter().collect(),
            findings: findings.collect(),
            unmatched: evaluation.unmatched,
        })
    }

    /// Reads a result that a worker sent, and believes nothing: it holds only if it is what
    /// [`SegmentResult::new`] could have given.
    ///
    /// # Errors
    /// [`SegmentResultError`].
    pub fn read(bytes: &[u8]) -> Result<Self, SegmentResultError> {
        let result: Self = serde_json::from_slice(bytes)?;
        strictly_sorted(&result.images, || "images".to_owned())?;
        if !result
            .findings
            .is_sorted_by(|one, next| one.facts() < next.facts())
        {
            return Err(SegmentResultError::Unsorted("findings".to_owned()));
        }
        for finding in &result.findings {
            strictly_sorted(&finding.images, || format!("images of {}", finding.name()))?;
            match finding.images.last() {
                None => return Err(SegmentResultError::NoImage(finding.name())),
                Some(last) if *last as usize >= result.images.len() => {
                    return Err(SegmentResultError::ImageUnknown {
                        finding: finding.name(),
                        image: last.to_string(),
                    });
                }
                Some(_) => {}
            }
        }
        Ok(result)
    }

    /// The canonical JSON: the artifact's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical(self).expect("a result holds texts, flags and places below 2^32")
    }

    /// How many (image, finding) there are.
    pub fn count(&self) -> u64 {
        self.findings
            .iter()
            .map(|finding| finding.images.len() as u64)
            .sum()
    }

    /// The findings image by image, sorted: the evaluation this was made from.
    pub fn findings(&self) -> Vec<Finding> {
        let names: Vec<String> = self.images.iter().map(Digest::to_string).collect();
        let mut findings: Vec<Finding> = self
            .findings
            .iter()
            .flat_map(|set| {
                set.images
                    .iter()
                    .filter_map(|place| names.get(*place as usize))
                    .map(|image| set.of(image))
            })
            .collect();
        findings.sort_unstable();
        findings
    }
}

impl SetFinding {
    /// The finding as one image has it.
    fn of(&self, image: &str) -> Finding {
        Finding {
            image: image.to_owned(),
            purl: self.purl.clone(),
            group: self.group.clone(),
            package: self.package.clone(),
            source_assumed: self.source_assumed,
            advisories: self.advisories.clone(),
            severity: self.severity,
            kev: self.kev,
            fixed: self.fixed.clone(),
            status: self.status,
            justification: self.justification.clone(),
        }
    }

    /// All but the images, in the order of the fields: two findings never have the same.
    fn facts(&self) -> impl PartialOrd + use<'_> {
        (
            (&self.purl, &self.group, &self.package),
            (self.source_assumed, &self.advisories),
            (self.severity, self.kev, &self.fixed),
            (self.status, &self.justification),
        )
    }

    fn name(&self) -> String {
        format!("finding {} of {}", self.group, self.purl)
    }
}

/// A finding's image, and the finding without it.
fn split(finding: Finding) -> (String, SetFinding) {
    let set = SetFinding {
        purl: finding.purl,
        group: finding.group,
        package: finding.package,
        source_assumed: finding.source_assumed,
        advisories: finding.advisories,
        severity: finding.severity,
        kev: finding.kev,
        fixed: finding.fixed,
        status: finding.status,
        justification: finding.justification,
        images: Vec::new(),
    };
    (finding.image, set)
}

fn strictly_sorted<T: Ord>(
    items: &[T],
    place: impl FnOnce() -> String,
) -> Result<(), SegmentResultError> {
    if items.is_sorted_by(|one, next| one < next) {
        Ok(())
    } else {
        Err(SegmentResultError::Unsorted(place()))
    }
}

#[cfg(test)]
mod tests;
