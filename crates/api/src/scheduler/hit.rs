//! Which advisories really hit a component: those that judge its version affected now.

use std::collections::BTreeSet;

use jobengine_impact::advisory::Advisory;
use jobengine_impact::finding::{Basis, FindingRow};
use jobengine_impact::matcher::Matcher;
use jobengine_impact::package::Package;
use jobengine_impact::purl::identify;

/// Some advisories, ready to be asked about findings.
pub(super) struct Hits(Matcher);

impl Hits {
    pub(super) fn new<'a>(advisories: impl IntoIterator<Item = &'a Advisory>) -> Self {
        Self(Matcher::new(advisories))
    }

    /// Ids of the advisories that a finding rests on, taken for what these bases say. None when they have
    /// changed since it was made, and its image was not evaluated again yet.
    pub(super) fn of<'a>(
        &self,
        finding: &FindingRow,
        bases: impl IntoIterator<Item = &'a Basis>,
    ) -> BTreeSet<String> {
        let packages = bases
            .into_iter()
            .filter_map(|basis| package(finding, basis))
            .collect::<BTreeSet<Package>>();
        packages
            .iter()
            .flat_map(|package| self.0.judge(package).hits)
            .filter(|hit| hit.flaw.group == finding.group)
            .map(|hit| hit.flaw.advisory.clone())
            .collect()
    }
}

/// The package of a finding with its version. Of one that was stored before the version was kept, the purl
/// names it.
fn package(finding: &FindingRow, basis: &Basis) -> Option<Package> {
    if basis.version.is_empty() {
        let package = identify(&finding.purl, None).ok()?.package;
        return (package.key == finding.package).then_some(package);
    }
    Some(Package {
        key: finding.package.clone(),
        version: basis.version.clone(),
    })
}

#[cfg(test)]
mod tests {
    use jobengine_impact::advisory::osv;
    use jobengine_impact::severity::Severity;
    use serde_json::json;

    use super::*;

    fn advisory(id: &str, package: &str, fixed: &str) -> Advisory {
        let record = json!({
            "id": id, "aliases": ["CVE-2024-1"],
            "affected": [{"package": {"ecosystem": "npm", "name": package}, "ranges": [
                {"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": fixed}]}]}],
        });
        osv::read(record.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_finding_rests_on_what_hits_its_version() {
        let advisories = [
            advisory("GHSA-1", "a", "2.0.0"),
            advisory("GHSA-2", "a", "1.0.0"),
            advisory("GHSA-3", "b", "2.0.0"),
        ];
        let hits = Hits::new(&advisories);
        let finding = FindingRow {
            package: "npm/a".parse().unwrap(),
            purl: "pkg:npm/a@1.5.0".to_owned(),
            group: "CVE-2024-1".to_owned(),
            severity: Severity::High,
            kev: false,
            images: Vec::new(),
            basis: Basis::default(),
            others: Vec::new(),
        };
        let basis = |version: &str| Basis {
            version: version.to_owned(),
            source_assumed: false,
        };
        let check = |bases: &[Basis], expected: &[&str]| {
            let found = hits.of(&finding, bases);
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{bases:?}");
        };
        check(&[basis("1.5.0")], &["GHSA-1"]);
        check(&[basis("")], &["GHSA-1"]);
        check(&[basis("0.5.0")], &["GHSA-1", "GHSA-2"]);
        check(&[basis("3.0.0")], &[]);
        check(&[basis("3.0.0"), basis("1.5.0")], &["GHSA-1"]);
        check(&[], &[]);
        let other = FindingRow {
            group: "CVE-2024-2".to_owned(),
            ..finding.clone()
        };
        assert_eq!(hits.of(&other, [&basis("1.5.0")]), BTreeSet::new());
    }
}
