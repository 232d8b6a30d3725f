//! Findings of a whole fleet as sets: for each finding the images that have it.

use std::collections::{BTreeMap, BTreeSet};

use croaring::Portable;
use serde::{Deserialize, Serialize};

/// A set of images, by their numbers.
pub use croaring::Bitmap;

use crate::evaluate::{Finding, Scope};
use crate::package::PackageKey;
use crate::severity::Severity;

/// A finding without its image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FindingKey {
    /// The package that was judged. First, so that the findings of a package stand together.
    pub package: PackageKey,
    /// The component, as SBOMs spell it.
    pub purl: String,
    /// The flaw.
    pub group: String,
}

/// What a finding weighs. Images evaluated at different times, or from documents that state
/// different things of one component, may have the same finding with different weights.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight {
    /// How bad it is.
    pub severity: Severity,
    /// Whether it is known to be exploited.
    pub kev: bool,
    /// What the component was taken for.
    pub basis: Basis,
}

/// What a component was taken for when it was judged. Not always in its purl: a document may state
/// the source package beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Basis {
    /// The version of the package that was judged; empty in sets that an earlier release stored.
    pub version: String,
    /// Whether the source package is assumed.
    pub source_assumed: bool,
}

/// One finding set as it is stored: the images that have the finding equally bad.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FindingRow {
    /// The package that was judged.
    pub package: PackageKey,
    /// The component, as SBOMs spell it.
    pub purl: String,
    /// The flaw.
    pub group: String,
    /// How bad it is.
    pub severity: Severity,
    /// Whether it is known to be exploited.
    pub kev: bool,
    /// The images, as a roaring bitmap in the portable format.
    pub images: Vec<u8>,
    /// The basis of the finding in these images, but for those in `others`.
    pub basis: Basis,
    /// Images in which it has another basis, and which, sorted; nearly always empty.
    pub others: Vec<(Basis, Vec<u8>)>,
}

impl FindingRow {
    /// What names the row: everything but its images and what they differ in.
    pub fn key(&self) -> (&PackageKey, &str, &str, Severity, bool) {
        (
            &self.package,
            &self.purl,
            &self.group,
            self.severity,
            self.kev,
        )
    }
}

/// A set of images as it is stored: a roaring bitmap in the portable format.
pub fn stored(images: &Bitmap) -> Vec<u8> {
    images.serialize::<Portable>()
}

impl FindingRow {
    /// The images, read.
    ///
    /// # Errors
    /// [`DamagedSet`] when the row holds no bitmap.
    pub fn members(&self) -> Result<Bitmap, DamagedSet> {
        read(&self.images)
    }

    /// The images by the basis of the finding in them. Images that have left the set do not come back
    /// through `others`.
    ///
    /// # Errors
    /// [`DamagedSet`] when the row holds no bitmap.
    pub fn by_basis(&self) -> Result<BTreeMap<&Basis, Bitmap>, DamagedSet> {
        let mut rest = self.members()?;
        let mut found = BTreeMap::new();
        for (basis, images) in &self.others {
            let images = read(images)?.and(&rest);
            rest.andnot_inplace(&images);
            if !images.is_empty() {
                found.insert(basis, images);
            }
        }
        if !rest.is_empty() {
            found
                .entry(&self.basis)
                .or_insert_with(Bitmap::new)
                .or_inplace(&rest);
        }
        Ok(found)
    }
}

fn read(images: &[u8]) -> Result<Bitmap, DamagedSet> {
    Bitmap::try_deserialize::<Portable>(images).ok_or(DamagedSet)
}

/// A stored set that is not a roaring bitmap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stored finding set is damaged")]
pub struct DamagedSet;

/// Finding → weight → images that have it so. What VEX takes away is not in the sets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FindingSets {
    sets: BTreeMap<FindingKey, BTreeMap<Weight, Bitmap>>,
}

impl FindingSets {
    /// From stored rows.
    ///
    /// # Errors
    /// [`DamagedSet`] when one holds no bitmap.
    pub fn from_rows(rows: impl IntoIterator<Item = FindingRow>) -> Result<Self, DamagedSet> {
        let mut sets = Self::default();
        for row in rows {
            let by_basis = row.by_basis()?;
            let key = FindingKey {
                package: row.package.clone(),
                purl: row.purl.clone(),
                group: row.group.clone(),
            };
            let weights = sets.sets.entry(key).or_default();
            for (basis, images) in by_basis {
                let weight = Weight {
                    severity: row.severity,
                    kev: row.kev,
                    basis: basis.clone(),
                };
                weights.entry(weight).or_default().or_inplace(&images);
            }
        }
        Ok(sets)
    }

    /// As rows to be stored, sorted. Equal sets give equal bytes.
    pub fn rows(&self) -> impl Iterator<Item = FindingRow> {
        self.sets.iter().flat_map(|(key, weights)| {
            // Sorted by severity and kev first, so that what belongs into one row stands together.
            let weights: Vec<(&Weight, &Bitmap)> = weights.iter().collect();
            let rows = weights.chunk_by(|(one, _), (next, _)| {
                (one.severity, one.kev) == (next.severity, next.kev)
            });
            rows.filter_map(|sets| row(key, sets)).collect::<Vec<_>>()
        })
    }

    /// The sets, sorted.
    pub fn sets(&self) -> impl Iterator<Item = (&FindingKey, &Weight, &Bitmap)> {
        let sets = self.sets.iter();
        sets.flat_map(|(key, weights)| weights.iter().map(move |(weight, set)| (key, weight, set)))
    }

    /// Replaces what is known of these images within the scope by the findings of an evaluation.
    ///
    /// `images` gives the number of each image that was evaluated, those without a finding
    /// included; findings of other images, and those outside the scope, are passed over.
    pub fn replace<'f>(
        &mut self,
        images: &BTreeMap<&str, u32>,
        scope: &Scope,
        findings: impl IntoIterator<Item = &'f Finding>,
    ) {
        self.clear(&images.values().copied().collect(), scope);
        for finding in findings {
            let inside = scope.contains(&finding.package.key) && !finding.status.suppresses();
            if let Some(image) = images.get(finding.image.as_str()).filter(|_| inside) {
                self.insert(*image, finding);
            }
        }
    }

    /// Adds one finding of one image.
    fn insert(&mut self, image: u32, finding: &Finding) {
        let key = FindingKey {
            package: finding.package.key.clone(),
            purl: finding.purl.clone(),
            group: finding.group.clone(),
        };
        let weight = Weight {
            severity: finding.severity,
            kev: finding.kev,
            basis: Basis {
                version: finding.package.version.clone(),
                source_assumed: finding.source_assumed,
            },
        };
        self.sets
            .entry(key)
            .or_default()
            .entry(weight)
            .or_default()
            .add(image);
    }

    /// Forgets every finding of an image.
    pub fn remove_image(&mut self, image: u32) {
        self.clear(&Bitmap::of(&[image]), &Scope::All);
    }

    fn clear(&mut self, images: &Bitmap, scope: &Scope) {
        self.sets.retain(|key, weights| {
            if scope.contains(&key.package) {
                weights.retain(|_, set| {
                    set.andnot_inplace(images);
                    !set.is_empty()
                });
            }
            !weights.is_empty()
        });
    }

    /// Images that have this finding, whatever it weighs.
    pub fn images(&self, key: &FindingKey) -> Bitmap {
        self.images_where(key, |_| true)
    }

    /// How many (image, purl, group) there are.
    pub fn count(&self) -> u64 {
        self.sets
            .values()
            .flat_map(BTreeMap::values)
            .map(Bitmap::cardinality)
            .sum()
    }

    /// The findings, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &FindingKey> {
        self.sets.keys()
    }

    /// Images that have this finding with a weight that fits.
    pub(crate) fn images_where(&self, key: &FindingKey, fits: impl Fn(&Weight) -> bool) -> Bitmap {
        let weights = self.sets.get(key).into_iter().flatten();
        let sets: Vec<&Bitmap> = weights
            .filter(|(weight, _)| fits(weight))
            .map(|(_, set)| set)
            .collect();
        Bitmap::fast_or(&sets)
    }

    /// Findings that two states do not have alike.
    pub(crate) fn differing<'a>(&'a self, other: &'a Self) -> BTreeSet<&'a FindingKey> {
        let one_way = |one: &'a Self, other: &'a Self| {
            one.sets
                .iter()
                .filter(|(key, sets)| other.sets.get(*key) != Some(*sets))
                .map(|(key, _)| key)
        };
        one_way(self, other).chain(one_way(other, self)).collect()
    }
}

/// The row of the sets that differ in their basis only. The first basis is the row's own.
fn row(key: &FindingKey, sets: &[(&Weight, &Bitmap)]) -> Option<FindingRow> {
    let ((weight, _), others) = sets.split_first()?;
    let all: Vec<&Bitmap> = sets.iter().map(|(_, images)| *images).collect();
    // A bitmap made anew has one form, whatever history led to it.
    let canonical = |images: &Bitmap| stored(&images.iter().collect());
    Some(FindingRow {
        package: key.package.clone(),
        purl: key.purl.clone(),
        group: key.group.clone(),
        severity: weight.severity,
        kev: weight.kev,
        images: canonical(&Bitmap::fast_or(&all)),
        basis: weight.basis.clone(),
        others: others
            .iter()
            .map(|(weight, images)| (weight.basis.clone(), canonical(images)))
            .collect(),
    })
}

#[cfg(test)]
mod tests;
