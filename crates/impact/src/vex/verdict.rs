//! What the statements together say of a finding.

use std::collections::{BTreeMap, BTreeSet};

use jobengine_domain::time::Timestamp;

use super::product::{Subject, Target, read_purl};
use super::{Statement, Status};
use crate::purl::Purl;

/// Many statements, made ready to be asked about findings.
#[derive(Debug, Default)]
pub struct Verdicts<'s> {
    prepared: Vec<Prepared<'s>>,
    /// A flaw's name → places in `prepared`.
    by_name: BTreeMap<&'s str, Vec<usize>>,
}

#[derive(Debug)]
struct Prepared<'s> {
    statement: &'s Statement,
    /// `None` when the statement gives no readable time: older than every other.
    at: Option<Timestamp>,
    targets: Vec<Target<'s>>,
}

/// The verdict on a finding, and the reason given for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict<'s> {
    /// [`Status::Affected`] where no statement speaks of the finding.
    pub status: Status,
    /// Why it is not affected, where the deciding statement says so.
    pub justification: Option<&'s str>,
}

impl<'s> Verdicts<'s> {
    /// Prepares the statements. Their order has no meaning.
    pub fn new(statements: impl IntoIterator<Item = &'s Statement>) -> Self {
        let mut verdicts = Self::default();
        for statement in statements {
            for name in &statement.vulnerabilities {
                verdicts
                    .by_name
                    .entry(name)
                    .or_default()
                    .push(verdicts.prepared.len());
            }
            verdicts.prepared.push(Prepared {
                statement,
                at: statement.timestamp.parse().ok(),
                targets: statement.products.iter().map(Target::new).collect(),
            });
        }
        verdicts
    }

    /// The verdict on one component of an image.
    ///
    /// `flaws` are the flaws the finding stands for, each by all its names. Of the statements about
    /// a flaw the newest counts; of several with the same time one that does not take the finding
    /// away. A finding that stands for several flaws is taken away only when each of them is.
    pub fn on(&self, image: &Subject<'_>, purl: &str, flaws: &[BTreeSet<&str>]) -> Verdict<'s> {
        let spoken_of = flaws
            .iter()
            .flatten()
            .any(|name| self.by_name.contains_key(name));
        let purl = if spoken_of { read_purl(purl) } else { None };
        let open = Verdict {
            status: Status::Affected,
            justification: None,
        };
        let Some(purl) = purl else {
            return open;
        };
        flaws
            .iter()
            .map(|names| {
                self.newest(image, &purl, names)
                    .map_or(open, |found| Verdict {
                        status: found.status,
                        justification: found.justification.as_deref(),
                    })
            })
            .max_by_key(|verdict| weight(verdict.status))
            .unwrap_or(open)
    }

    fn newest(
        &self,
        image: &Subject<'_>,
        purl: &Purl,
        names: &BTreeSet<&str>,
    ) -> Option<&'s Statement> {
        names
            .iter()
            .filter_map(|name| self.by_name.get(name))
            .flatten()
            .map(|place| &self.prepared[*place])
            .filter(|prepared| {
                prepared
                    .targets
                    .iter()
                    .any(|target| target.speaks_of(image, purl))
            })
            .max_by_key(|found| (found.at, weight(found.statement.status), found.statement))
            .map(|found| found.statement)
    }
}

/// The more open a verdict leaves a finding, the more it weighs.
const fn weight(status: Status) -> u8 {
    match status {
        Status::Fixed => 0,
        Status::NotAffected => 1,
        Status::UnderInvestigation => 2,
        Status::Affected => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vex::Product;

    const PURL: &str = "pkg:npm/left-pad@1.0.0";

    fn statement(name: &str, status: Status, timestamp: &str) -> Statement {
        Statement {
            vulnerabilities: BTreeSet::from([name.to_owned()]),
            products: BTreeSet::from([Product {
                id: "pkg:npm/left-pad".to_owned(),
                digests: BTreeSet::new(),
                subcomponents: BTreeSet::new(),
            }]),
            status,
            justification: None,
            timestamp: timestamp.to_owned(),
        }
    }

    fn check(statements: &[(&str, Status, &str)], flaws: &[&[&str]], expected: Status) {
        let mut statements: Vec<_> = statements
            .iter()
            .map(|(name, status, at)| statement(name, *status, at))
            .collect();
        let flaws: Vec<BTreeSet<&str>> = flaws
            .iter()
            .map(|names| names.iter().copied().collect())
            .collect();
        let image = Subject::new(None, &[], &[]);
        for _ in 0..statements.len().max(1) {
            let verdict = Verdicts::new(&statements).on(&image, PURL, &flaws);
            assert_eq!(verdict.status, expected, "{statements:?}");
            if let Some(first) = (!statements.is_empty()).then(|| statements.remove(0)) {
                statements.push(first);
            }
        }
    }

    #[test]
    fn the_newest_statement_counts_whatever_its_place() {
        use Status::{Affected, Fixed, NotAffected, UnderInvestigation};
        let flaw: &[&[&str]] = &[&["CVE-1", "GHSA-1"]];
        check(&[], flaw, Affected);
        check(
            &[("CVE-2", NotAffected, "2024-01-01T00:00:00Z")],
            flaw,
            Affected,
        );
        check(
            &[("GHSA-1", NotAffected, "2024-01-01T00:00:00Z")],
            flaw,
            NotAffected,
        );
        let late = "2024-01-01T01:00:00+02:00"; // 2023-12-31T23:00:00Z
        check(
            &[
                ("CVE-1", NotAffected, "2024-01-01T00:00:00Z"),
                ("GHSA-1", Affected, late),
            ],
            flaw,
            NotAffected,
        );
        check(
            &[
                ("CVE-1", NotAffected, ""),
                ("GHSA-1", UnderInvestigation, late),
            ],
            flaw,
            UnderInvestigation,
        );
        check(
            &[
                ("CVE-1", NotAffected, late),
                ("CVE-1", Affected, late),
                ("CVE-1", Fixed, late),
            ],
            flaw,
            Affected,
        );
    }

    #[test]
    fn each_of_several_flaws_needs_its_own_verdict() {
        use Status::{Affected, Fixed, NotAffected};
        let at = "2024-01-01T00:00:00Z";
        let flaws: &[&[&str]] = &[&["CVE-1", "DSA-1"], &["CVE-2", "DSA-1"]];
        check(&[("CVE-1", NotAffected, at)], flaws, Affected);
        check(
            &[("CVE-1", NotAffected, at), ("CVE-2", Fixed, at)],
            flaws,
            NotAffected,
        );
        check(&[("DSA-1", Fixed, at)], flaws, Fixed);
    }
}
