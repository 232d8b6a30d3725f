//! What a flaw is called, whatever record speaks of it.

use std::collections::BTreeSet;

use crate::advisory::Advisory;

const CVE: &str = "CVE-";
const GHSA: &str = "GHSA-";

/// Names the flaw (or flaws) an advisory speaks of: one third of a finding's identity.
///
/// The first of these that is not empty, sorted and joined with `,`: the CVE ids among the record's
/// id and aliases; the CVE ids it answers (`upstream`); its GHSA ids; its smallest alias; its id.
/// Only the record itself is looked at, so that adding another record never renames a finding, and
/// a record that moves from one id to another with the same aliases keeps its group.
pub fn group_of(advisory: &Advisory) -> String {
    let cves = joined(names(advisory).filter(|name| is_cve(name)));
    if !cves.is_empty() {
        return cves;
    }
    let answered = joined(
        advisory
            .upstream
            .iter()
            .map(String::as_str)
            .filter(|name| is_cve(name)),
    );
    if !answered.is_empty() {
        return answered;
    }
    let ghsas = joined(names(advisory).filter(|name| name.starts_with(GHSA)));
    if !ghsas.is_empty() {
        return ghsas;
    }
    advisory.aliases.first().unwrap_or(&advisory.id).clone()
}

/// Whether a name is a CVE id.
pub fn is_cve(name: &str) -> bool {
    name.starts_with(CVE)
}

/// The record's own names of its flaw: its id and its aliases.
fn names(advisory: &Advisory) -> impl Iterator<Item = &str> {
    std::iter::once(advisory.id.as_str()).chain(advisory.aliases.iter().map(String::as_str))
}

fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect::<Vec<_>>()
        .join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(id: &str, aliases: &[&str], upstream: &[&str], expected: &str) {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let advisory = Advisory {
            id: id.to_owned(),
            aliases: set(aliases),
            upstream: set(upstream),
            withdrawn: false,
            modified: String::new(),
            severity: Vec::new(),
            database_severity: None,
            affected: Vec::new(),
            unsupported: BTreeSet::new(),
            unread: Vec::new(),
            unread_more: 0,
        };
        assert_eq!(group_of(&advisory), expected, "{id}");
    }

    #[test]
    fn a_group_is_the_most_shared_name() {
        check(
            "GO-2023-1",
            &["CVE-2023-2", "CVE-2023-1", "GHSA-a"],
            &[],
            "CVE-2023-1,CVE-2023-2",
        );
        check("CVE-2023-1", &["GHSA-a"], &["CVE-2023-9"], "CVE-2023-1");
        check(
            "DSA-1-1",
            &[],
            &["CVE-2023-2", "CVE-2023-1"],
            "CVE-2023-1,CVE-2023-2",
        );
        check("DSA-1-1", &["DLA-3-1"], &["CVE-2023-1"], "CVE-2023-1");
        check("GHSA-b", &["GHSA-a", "RUSTSEC-1"], &[], "GHSA-a,GHSA-b");
        check("RUSTSEC-1", &["OSV-2", "ABC-3"], &[], "ABC-3");
        check("RUSTSEC-1", &[], &["DSA-1"], "RUSTSEC-1");
    }

    #[test]
    fn a_renamed_record_keeps_its_group() {
        check("PYSEC-0000-1", &["CVE-2023-1", "GHSA-a"], &[], "CVE-2023-1");
        check("PYSEC-2023-7", &["CVE-2023-1", "GHSA-a"], &[], "CVE-2023-1");
        check("PYSEC-0000-1", &["GHSA-a"], &[], "GHSA-a");
        check("PYSEC-2023-7", &["GHSA-a"], &[], "GHSA-a");
    }
}
