//! Which advisories hit a package.

use std::collections::{BTreeMap, BTreeSet};

use crate::advisory::{Advisory, Affected};
use crate::group::{group_of, is_cve};
use crate::package::{Package, PackageKey};
use crate::range::{Candidate, CompiledAffected, Verdict};
use crate::sbom::Unmatched;
use crate::severity::Severity;
use crate::version::Version;

/// Many advisories, made ready to judge many packages.
#[derive(Debug, Default)]
pub struct Matcher {
    /// Sorted by flaw.
    by_package: BTreeMap<PackageKey, Vec<Record>>,
}

/// One advisory's word on one package.
#[derive(Debug)]
struct Record {
    flaw: Flaw,
    entries: Vec<Entry>,
}

/// One of the advisory's entries about the package.
#[derive(Debug)]
struct Entry {
    severity: Severity,
    affected: CompiledAffected,
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
    /// A version above the package's that the advisory calls fixed, where it names one.
    pub fixed: Option<String>,
}

impl Matcher {
    /// Compiles the ranges of these advisories once. Withdrawn ones are left out: they affect
    /// nothing. The advisories' order has no meaning.
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
        let Some(records) = self.by_package.get(&package.key) else {
            return judged;
        };
        let candidate = Candidate::new(package.key.ecosystem, &package.version);
        for record in records {
            record.judge(package, &candidate, &mut judged);
        }
        judged
    }

    fn add(&mut self, advisory: &Advisory) {
        let mut by_package: BTreeMap<&PackageKey, Vec<Entry>> = BTreeMap::new();
        for affected in &advisory.affected {
            by_package
                .entry(&affected.package)
                .or_default()
                .push(Entry {
                    severity: severity_of(advisory, affected),
                    affected: CompiledAffected::compile(affected),
                });
        }
        for (package, entries) in by_package {
            let record = Record {
                flaw: Flaw::of(advisory),
                entries,
            };
            self.by_package
                .entry(package.clone())
                .or_default()
                .push(record);
        }
    }
}

impl Record {
    fn judge<'m>(&'m self, package: &Package, candidate: &Candidate, judged: &mut Judged<'m>) {
        let mut hit: Option<Hit<'m>> = None;
        let mut unknown = None;
        for entry in &self.entries {
            match entry.affected.judge(candidate) {
                Verdict::NotAffected => {}
                Verdict::Unknown(why) => unknown = unknown.or(Some(why)),
                Verdict::Affected => {
                    let hit = hit.get_or_insert(Hit {
                        flaw: &self.flaw,
                        severity: Severity::Unknown,
                        fixed: None,
                    });
                    hit.severity = hit.severity.max(entry.severity);
                    hit.fixed = higher_fix(
                        package,
                        hit.fixed.take(),
                        entry.affected.fixed_for(candidate),
                    );
                }
            }
        }
        match (hit, unknown) {
            (Some(hit), _) => judged.hits.push(hit),
            (None, Some(why)) => judged.unmatched.push((&self.flaw.advisory, why)),
            (None, None) => {}
        }
    }
}

impl Flaw {
    /// The names a record gives its flaw.
    pub fn of(advisory: &Advisory) -> Self {
        Self {
            advisory: advisory.id.clone(),
            group: group_of(advisory),
            aliases: advisory.aliases.clone(),
            upstream: advisory
                .upstream
                .iter()
                .filter(|name| is_cve(name))
                .cloned()
                .collect(),
        }
    }

    /// The record's own names of the flaw: its id and aliases.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.advisory.as_str()).chain(self.aliases.iter().map(String::as_str))
    }

    /// Every CVE id the record speaks of.
    pub fn cves(&self) -> impl Iterator<Item = &str> {
        self.names()
            .filter(|name| is_cve(name))
            .chain(self.upstream.iter().map(String::as_str))
    }
}

/// How bad a flaw is for one of the packages an advisory names.
pub(crate) fn severity_of(advisory: &Advisory, affected: &Affected) -> Severity {
    let vectors = advisory.severity.iter().chain(&affected.severity);
    Severity::of(vectors, advisory.database_severity.as_deref())
}

/// The higher of two fixed versions: only it is free of both flaws.
pub(crate) fn higher_fix(
    package: &Package,
    one: Option<String>,
    other: Option<String>,
) -> Option<String> {
    let (Some(first), Some(second)) = (&one, &other) else {
        return one.or(other);
    };
    let parse = |text: &str| Version::parse(package.key.ecosystem, text).ok();
    let order = match (parse(first), parse(second)) {
        (Some(first), Some(second)) => first.compare(&second),
        _ => None,
    };
    // Versions in another order than the ecosystem's (or equal ones in two spellings): as text,
    // so that the answer does not depend on who came first.
    let order = order
        .filter(|order| order.is_ne())
        .unwrap_or_else(|| first.cmp(second));
    if order.is_lt() { other } else { one }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::{Range, RangeEvent, RangeScheme};
    use crate::severity::SeverityVector;

    fn affected(package: &str, versions: &[&str], ranges: &[(&str, &str)]) -> Affected {
        let range = |(introduced, fixed): &(&str, &str)| Range {
            scheme: RangeScheme::Ecosystem,
            events: vec![
                RangeEvent::Introduced((*introduced).to_owned()),
                RangeEvent::Fixed((*fixed).to_owned()),
            ],
        };
        Affected {
            package: package.parse().unwrap(),
            versions: versions.iter().map(|text| (*text).to_owned()).collect(),
            ranges: ranges.iter().map(range).collect(),
            severity: Vec::new(),
            unread: false,
        }
    }

    fn advisory(id: &str, affected: Vec<Affected>) -> Advisory {
        Advisory {
            id: id.to_owned(),
            aliases: BTreeSet::new(),
            upstream: BTreeSet::new(),
            withdrawn: false,
            modified: String::new(),
            severity: Vec::new(),
            database_severity: None,
            affected,
            unsupported: BTreeSet::new(),
            unread: Vec::new(),
            unread_more: 0,
        }
    }

    /// `expected`: `ID severity fixed` of each hit, then `ID?` of each that could not be judged.
    fn check(advisories: &[Advisory], package: &str, expected: &str) {
        let (key, version) = package.rsplit_once('@').unwrap();
        let package = Package {
            key: key.parse().unwrap(),
            version: version.to_owned(),
        };
        let forward = Matcher::new(advisories);
        let backward = Matcher::new(advisories.iter().rev());
        for matcher in [forward, backward] {
            let judged = matcher.judge(&package);
            let hits = judged.hits.iter().map(|hit| {
                let fixed = hit.fixed.as_deref().unwrap_or("-");
                format!("{} {:?} {fixed}", hit.flaw.advisory, hit.severity)
            });
            let unmatched = judged.unmatched.iter().map(|(id, _)| format!("{id}?"));
            assert_eq!(
                hits.chain(unmatched).collect::<Vec<_>>().join(", "),
                expected
            );
        }
    }

    #[test]
    fn an_advisory_hits_by_version_or_range() {
        let advisories = [
            advisory("B-2", vec![affected("npm/a", &[], &[("1.0.0", "1.4.0")])]),
            advisory(
                "A-1",
                vec![
                    affected("npm/a", &["1.2.0"], &[]),
                    affected("npm/b", &["1.0.0"], &[]),
                ],
            ),
        ];
        check(
            &advisories,
            "npm/a@1.2.0",
            "A-1 Unknown -, B-2 Unknown 1.4.0",
        );
        check(&advisories, "npm/a@1.3.0", "B-2 Unknown 1.4.0");
        check(&advisories, "npm/b@1.0.0", "A-1 Unknown -");
        check(&advisories, "npm/c@1.0.0", "");
        check(&advisories, "PyPI/a@1.2.0", "");
    }

    #[test]
    fn a_withdrawn_advisory_affects_nothing() {
        let mut withdrawn = advisory("A-1", vec![affected("npm/a", &["1.2.0"], &[])]);
        withdrawn.withdrawn = true;
        check(&[withdrawn], "npm/a@1.2.0", "");
    }

    #[test]
    fn an_unreadable_range_is_named_unless_another_hits() {
        let odd = |versions: &[&str]| affected("npm/a", versions, &[("0", "not a version")]);
        check(&[advisory("A-1", vec![odd(&[])])], "npm/a@1.2.0", "A-1?");
        check(
            &[advisory("A-1", vec![odd(&["1.2.0"])])],
            "npm/a@1.2.0",
            "A-1 Unknown -",
        );
        let beside = affected("npm/a", &[], &[("1.0.0", "2.0.0")]);
        check(
            &[advisory("A-1", vec![odd(&[]), beside])],
            "npm/a@1.2.0",
            "A-1 Unknown 2.0.0",
        );
    }

    #[test]
    fn several_entries_of_one_advisory_are_one_hit() {
        let mut worse = affected("npm/a", &[], &[("0", "10.0.0")]);
        worse.severity = vec![SeverityVector {
            kind: "CVSS_V3".to_owned(),
            score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned(),
        }];
        let advisory = advisory(
            "A-1",
            vec![affected("npm/a", &[], &[("0", "9.0.0")]), worse],
        );
        check(&[advisory], "npm/a@1.2.0", "A-1 Critical 10.0.0");
    }
}
