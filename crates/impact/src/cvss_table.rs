//! CVSS vectors by CVE, for advisories that carry no severity of their own.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::advisory::Advisory;
use crate::document::{self, Document, DocumentCode, DocumentError};
use crate::group::is_cve;
use crate::matcher::severity_of;
use crate::severity::{Severity, SeverityVector};

/// Bytes of one line of the table.
pub const CVSS_ROW_MAX_BYTES: usize = 64 * 1024;

/// What is known of the severity of CVEs beside the advisories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CvssTable {
    by_cve: BTreeMap<String, Vec<SeverityVector>>,
}

#[derive(Deserialize)]
struct Row {
    cve: String,
    cvss_v3: Option<String>,
    cvss_v4: Option<String>,
}

/// Reads a table: JSON Lines (or an array) of `{"cve": …, "cvss_v3": …, "cvss_v4": …}`.
///
/// # Errors
/// The first row that [`document::records`] refuses or that is no such object
/// ([`DocumentCode::SeverityInvalid`]).
pub fn read(bytes: &[u8]) -> Result<CvssTable, DocumentError> {
    let mut by_cve: BTreeMap<String, Vec<SeverityVector>> = BTreeMap::new();
    for row in document::records(bytes, CVSS_ROW_MAX_BYTES) {
        let row: Row = read_row(&row?)?;
        let vectors = [("CVSS_V3", row.cvss_v3), ("CVSS_V4", row.cvss_v4)];
        let vectors = vectors.into_iter().filter_map(|(kind, score)| {
            Some(SeverityVector {
                kind: kind.to_owned(),
                score: score?,
            })
        });
        by_cve.entry(row.cve).or_default().extend(vectors);
    }
    Ok(CvssTable { by_cve })
}

fn read_row(row: &Document<'_>) -> Result<Row, DocumentError> {
    let read: Row = row.parse(DocumentCode::SeverityInvalid)?;
    if is_cve(&read.cve) {
        return Ok(read);
    }
    let detail = format_args!("`{}` is not a CVE id", read.cve);
    Err(row.refuse(DocumentCode::SeverityInvalid, "cve", detail))
}

impl CvssTable {
    /// Adds another table to this one.
    pub fn merge(&mut self, other: Self) {
        for (cve, vectors) in other.by_cve {
            self.by_cve.entry(cve).or_default().extend(vectors);
        }
    }

    /// Gives an advisory the vectors of its CVEs, unless it says itself how bad its flaw is.
    pub fn rate(&self, advisory: &mut Advisory) {
        let rated = |affected| severity_of(advisory, affected) != Severity::Unknown;
        if advisory.affected.iter().any(rated) {
            return;
        }
        let own = std::iter::once(&advisory.id);
        let cves = own.chain(&advisory.aliases).chain(&advisory.upstream);
        let vectors: Vec<_> = cves
            .filter_map(|cve| self.by_cve.get(cve))
            .flatten()
            .cloned()
            .collect();
        advisory.severity.extend(vectors);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::osv;

    const ROW: &str = r#"{"cve":"CVE-2024-1","source":["x"],
        "cvss_v3":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}"#;

    fn check(record: &str, expected: Severity) {
        let table = read(ROW.as_bytes()).expect("a good table");
        let mut advisory = osv::read(record.as_bytes()).expect("a good record");
        table.rate(&mut advisory);
        let severity = severity_of(&advisory, &advisory.affected[0]);
        assert_eq!(severity, expected, "{record}");
    }

    #[test]
    fn only_what_an_advisory_leaves_open_is_filled_in() {
        let record = |rest: &str| {
            format!(
                r#"{{{rest},"affected":[{{"package":{{"ecosystem":"npm","name":"a"}},"versions":["1"]}}]}}"#
            )
        };
        check(&record(r#""id":"CVE-2024-1""#), Severity::Critical);
        check(
            &record(r#""id":"X","aliases":["CVE-2024-1"]"#),
            Severity::Critical,
        );
        check(
            &record(r#""id":"X","upstream":["CVE-2024-1"]"#),
            Severity::Critical,
        );
        check(
            &record(r#""id":"X","aliases":["CVE-2024-2"]"#),
            Severity::Unknown,
        );
        let own = r#""id":"CVE-2024-1","database_specific":{"severity":"LOW"}"#;
        check(&record(own), Severity::Low);
    }

    #[test]
    fn a_bad_row_is_named_with_its_place() {
        let file = "{\"cve\":\"CVE-2024-1\"}\n{\"cve\":\"GHSA-1\"}\n";
        let error = read(file.as_bytes()).expect_err("refused");
        assert_eq!(
            (error.code, error.place.as_str()),
            (DocumentCode::SeverityInvalid, "line 2: cve")
        );
    }
}
