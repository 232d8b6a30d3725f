//! Which advisories really hit a component: those that judge its version affected now.

use std::collections::BTreeSet;

use jobengine_impact::advisory::Advisory;
use jobengine_impact::finding::FindingRow;
use jobengine_impact::matcher::Matcher;
use jobengine_impact::package::Package;
use jobengine_impact::purl::identify;

/// Some advisories, ready to be asked about findings.
pub(super) struct Hits(Matcher);

impl Hits {
    pub(super) fn new<'a>(advisories: impl IntoIterator<Item = &'a Advisory>) -> Self {
        Self(Matcher::new(advisories))
    }

    /// Ids of the advisories that a finding rests on. None when they have changed since it was made, and
    /// its image was not evaluated again yet.
    pub(super) fn of(&self, finding: &FindingRow) -> BTreeSet<String> {
        let Some(package) = package(finding) else {
            return BTreeSet::new();
        };
        let hits = self.0.judge(&package).hits;
        hits.into_iter()
            .filter(|hit| hit.flaw.group == finding.group)
            .map(|hit| hit.flaw.advisory.clone())
            .collect()
    }
}

/// The package of a finding with its version. A finding has one, so its purl names it, whatever the
/// document says of source packages.
fn package(finding: &FindingRow) -> Option<Package> {
    let package = identify(&finding.purl, true).ok()?;
    (package.key == finding.package).then_some(package)
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
        };
        assert_eq!(hits.of(&finding), BTreeSet::from(["GHSA-1".to_owned()]));
        let other = FindingRow {
            group: "CVE-2024-2".to_owned(),
            ..finding
        };
        assert_eq!(hits.of(&other), BTreeSet::new());
    }
}
