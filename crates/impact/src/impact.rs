//! The impact set: the images whose findings a change of advisories may alter.

use std::collections::{BTreeMap, BTreeSet};

use croaring::Bitmap;

use crate::delta::{AdvisoryDelta, PackageDelta};
use crate::index::ImpactIndex;
use crate::package::PackageKey;
use crate::range::{Candidate, CompiledAffected, Verdict};

/// What a delta hits.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Impact {
    /// Images to evaluate anew.
    pub images: Bitmap,
    /// Packages to look at in them: those for which some image is hit.
    pub packages: BTreeSet<PackageKey>,
    /// How many images each of these packages puts into the set. Their sum may exceed the set.
    pub by_package: BTreeMap<PackageKey, u64>,
}

/// Works out which images a delta hits.
///
/// Each distinct version of a touched package is tested once against the effects that differ; the
/// images of those that any of them hits are the answer. A version for which an effect cannot be
/// judged counts as hit: evaluating an image for nothing is cheap, missing one is not. An image
/// outside the set has the same findings before and after.
pub fn impact(index: &ImpactIndex, delta: &AdvisoryDelta) -> Impact {
    let mut impact = Impact::default();
    let mut all = Vec::new();
    for (package, difference) in &delta.packages {
        let effects = compile(package, difference);
        let mut hits = Vec::new();
        for (version, images) in index.versions(package) {
            let candidate = Candidate::new(package.ecosystem, version);
            if effects
                .iter()
                .any(|effect| effect.judge(&candidate) != Verdict::NotAffected)
            {
                hits.push(images);
            }
        }
        if !hits.is_empty() {
            impact
                .by_package
                .insert(package.clone(), Bitmap::fast_or(&hits).cardinality());
            impact.packages.insert(package.clone());
            all.extend(hits);
        }
    }
    impact.images = Bitmap::fast_or(&all);
    impact
}

fn compile(package: &PackageKey, difference: &PackageDelta) -> Vec<CompiledAffected> {
    let effects = difference.gained.iter().chain(&difference.lost);
    effects
        .map(|effect| CompiledAffected::compile(&effect.affected(package)))
        .collect()
}
