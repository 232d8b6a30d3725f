//! Which advisories hit a package.

use std::collections::{BTreeMap, BTreeSet};

use crate::advisory::Advisory;
use crate::group::{group_of, is_cve, names};
use crate::package::{Package, PackageKey};
use crate::sbom::Unmatched;
use crate::severity::Severity;

/// Many advisories, made ready to judge many packages.
#[derive(Debug, Default)]
pub struct Matcher {
    by_package: BTreeMap<PackageKey, Vec<Record>>,
}

/// One advisory's word on one package.
#[derive(Debug)]
struct Record {
    flaw: Flaw,
    severity: Severity,
    versions: BTreeSet<String>,
}

/// The flaw a record speaks of, by all its names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flaw {
    /// The record's id.
    pub advisory: String,
    /// [`group_of`] the record.
    pub group: String,
    /// The record's aliases.
    pub aliases: BTreeSet<String>,
    /// The CVE ids the record answers.
    pub upstream: BTreeSet<String>,
}

/// What the advisories say of one package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judged<'m> {
    /// Advisories that hit, sorted by advisory id.
    pub hits: Vec<Hit<'m>>,
    /// Advisories that could not be judged (id and reason), sorted by id. An advisory that hits by
    /// a listed version or by one of its readable ranges is not among them.
    pub unmatched: Vec<(&'m str, Unmatched)>,
}

/// One advisory that hits a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit<'m> {
    /// What the flaw is called.
    pub flaw: &'m Flaw,
    /// How bad it is, by this advisory.
    pub severity: Severity,
    /// The first version at or above the package's without the flaw, where the advisory names one.
    pub fixed: Option<String>,
}

impl Matcher {
    /// Compiles the ranges of these advisories once. Withdrawn ones are left out: they affect nothing.
    pub fn new<'a>(advisories: impl IntoIterator<Item = &'a Advisory>) -> Self {
        let mut matcher = Self::default();
        for advisory in advisories
            .into_iter()
            .filter(|advisory| !advisory.withdrawn)
        {
            matcher.add(advisory);
        }
        for records in matcher.by_package.values_mut() {
            records.sort_by(|one, other| one.flaw.cmp(&other.flaw));
        }
        matcher
    }

    /// What the advisories say of this package.
    pub fn judge(&self, package: &Package) -> Judged<'_> {
        let mut judged = Judged::default();
        for record in self.by_package.get(&package.key).into_iter().flatten() {
            if record.versions.contains(&package.version) {
                judged.hits.push(Hit {
                    flaw: &record.flaw,
                    severity: record.severity,
                    fixed: None,
                });
            }
        }
        judged
    }

    fn add(&mut self, advisory: &Advisory) {
        let flaw = Flaw {
            advisory: advisory.id.clone(),
            group: group_of(advisory),
            aliases: names(advisory).skip(1).map(str::to_owned).collect(),
            upstream: advisory
                .upstream
                .iter()
                .filter(|name| is_cve(name))
                .cloned()
                .collect(),
        };
        for affected in &advisory.affected {
            self.by_package
                .entry(affected.package.clone())
                .or_default()
                .push(Record {
                    flaw: flaw.clone(),
                    severity: Severity::Unknown,
                    versions: affected.versions.clone(),
                });
        }
    }
}
