//! What differs between two versions of the advisories, so far as findings can tell.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::advisory::{Advisory, Affected, Range};
use crate::evaluate::is_exploited;
use crate::kev::KevCatalogue;
use crate::matcher::{Flaw, severity_of};
use crate::package::PackageKey;
use crate::severity::Severity;

/// What one advisory does to the findings of one package: everything that decides whether there is
/// a finding, what it is called, and how bad it is. Ids, texts and times are deliberately absent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Effect {
    /// The flaw ([`crate::group::group_of`]).
    pub group: String,
    /// Versions listed one by one.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub versions: BTreeSet<String>,
    /// Ranges, their events in the record's order.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ranges: BTreeSet<Range>,
    /// How bad the flaw is.
    pub severity: Severity,
    /// Whether it is known to be exploited.
    pub kev: bool,
}

impl Effect {
    /// The effect as an advisory's entry about the package.
    pub fn affected(&self, package: &PackageKey) -> Affected {
        Affected {
            package: package.clone(),
            versions: self.versions.clone(),
            ranges: self.ranges.iter().cloned().collect(),
            severity: Vec::new(),
            // What could not be read makes no finding.
            unread: false,
        }
    }
}

/// The effects of these advisories, package by package. A withdrawn advisory has none, nor has an
/// entry that names neither versions nor ranges. Entries of one advisory about one package that are
/// equally bad are one effect: how a record is cut into entries has no meaning.
pub fn effects<'a>(
    advisories: impl IntoIterator<Item = &'a Advisory>,
    kev: &KevCatalogue,
) -> BTreeMap<PackageKey, BTreeSet<Effect>> {
    let mut effects: BTreeMap<PackageKey, BTreeSet<Effect>> = BTreeMap::new();
    for advisory in advisories
        .into_iter()
        .filter(|advisory| !advisory.withdrawn)
    {
        let flaw = Flaw::of(advisory);
        let kev = is_exploited(&flaw, kev);
        let mut entries: BTreeMap<(&PackageKey, Severity), Effect> = BTreeMap::new();
        let stated = advisory
            .affected
            .iter()
            .filter(|entry| !entry.versions.is_empty() || !entry.ranges.is_empty());
        for entry in stated {
            let severity = severity_of(advisory, entry);
            let effect = entries
                .entry((&entry.package, severity))
                .or_insert_with(|| Effect {
                    group: flaw.group.clone(),
                    versions: BTreeSet::new(),
                    ranges: BTreeSet::new(),
                    severity,
                    kev,
                });
            effect.versions.extend(entry.versions.iter().cloned());
            effect.ranges.extend(entry.ranges.iter().cloned());
        }
        for ((package, _), effect) in entries {
            effects.entry(package.clone()).or_default().insert(effect);
        }
    }
    effects
}

/// The effects in which two versions of the advisories differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdvisoryDelta {
    /// Packages with a difference.
    pub packages: BTreeMap<PackageKey, PackageDelta>,
}

/// The effects on one package that came or went. What is in both versions is in neither set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PackageDelta {
    /// Only after.
    pub gained: BTreeSet<Effect>,
    /// Only before.
    pub lost: BTreeSet<Effect>,
}

impl AdvisoryDelta {
    /// Compares two versions of the same set of advisories.
    ///
    /// Either all advisories are given, or (when the catalogue of exploited flaws is the same) only
    /// the records that changed. A record that moves from one id to another with the same aliases,
    /// ranges and severity cancels out; so does a change of texts, times or of an exploit's date.
    pub fn between<'a>(
        before: impl IntoIterator<Item = &'a Advisory>,
        before_kev: &KevCatalogue,
        after: impl IntoIterator<Item = &'a Advisory>,
        after_kev: &KevCatalogue,
    ) -> Self {
        let mut delta = Self::default();
        let mut gained = effects(after, after_kev);
        for (package, mut lost) in effects(before, before_kev) {
            let mut gained = gained.remove(&package).unwrap_or_default();
            let same: BTreeSet<Effect> = gained.intersection(&lost).cloned().collect();
            gained.retain(|effect| !same.contains(effect));
            lost.retain(|effect| !same.contains(effect));
            if !gained.is_empty() || !lost.is_empty() {
                delta
                    .packages
                    .insert(package, PackageDelta { gained, lost });
            }
        }
        for (package, gained) in gained {
            delta.packages.insert(
                package,
                PackageDelta {
                    gained,
                    lost: BTreeSet::new(),
                },
            );
        }
        delta
    }

    /// Whether no finding can differ.
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }

    /// How many flaws (groups) differ in effect. Several records about one flaw count once, as does
    /// a flaw in several packages: that is what a person calls one change.
    pub fn advisories_changed(&self) -> usize {
        self.packages
            .values()
            .flat_map(|package| package.gained.iter().chain(&package.lost))
            .map(|effect| effect.group.as_str())
            .collect::<BTreeSet<_>>()
            .len()
    }

    /// The worst severity among the gained effects: lost ones are good news and hurry nobody.
    pub fn worst(&self) -> Severity {
        self.gained()
            .map(|effect| effect.severity)
            .max()
            .unwrap_or_default()
    }

    /// Whether a gained effect is about an exploited flaw.
    pub fn exploited(&self) -> bool {
        self.gained().any(|effect| effect.kev)
    }

    fn gained(&self) -> impl Iterator<Item = &Effect> {
        self.packages.values().flat_map(|package| &package.gained)
    }
}
