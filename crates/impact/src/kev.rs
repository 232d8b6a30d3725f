//! The catalogue of known exploited vulnerabilities (CISA KEV).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::document::{Document, DocumentCode, DocumentError};
use crate::group::is_cve;

/// Bytes of one catalogue; the real one has about one megabyte.
pub const KEV_MAX_BYTES: usize = 32 * 1024 * 1024;

/// Known exploited CVEs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KevCatalogue {
    /// CVE id → the day it was added (`2024-03-01`).
    pub entries: BTreeMap<String, String>,
}

/// Reads a catalogue as CISA publishes it
/// (<https://www.cisa.gov/known-exploited-vulnerabilities-catalog>).
///
/// All or nothing: half a catalogue would say "not exploited" of the other half.
///
/// # Errors
/// What [`Document::check`] and [`Document::parse`] refuse; [`DocumentCode::KevInvalid`] where an
/// entry has no CVE id or no day, or where `count` is there and is not the number of entries.
pub fn read(bytes: &[u8]) -> Result<KevCatalogue, DocumentError> {
    let document = Document::check(bytes, KEV_MAX_BYTES)?;
    let catalogue: Catalogue = document.parse(DocumentCode::KevInvalid)?;
    let found = catalogue.vulnerabilities.len();
    if let Some(count) = catalogue.count
        && usize::try_from(count) != Ok(found)
    {
        return Err(document.refuse(
            DocumentCode::KevInvalid,
            "count",
            format_args!("the catalogue says {count} entries and has {found}"),
        ));
    }
    let mut entries: BTreeMap<String, String> = BTreeMap::new();
    for (index, entry) in catalogue.vulnerabilities.into_iter().enumerate() {
        let invalid = |field: &str, value: &str| {
            document.refuse(
                DocumentCode::KevInvalid,
                format_args!("vulnerabilities[{index}].{field}"),
                format_args!("`{value}` is not a {field}"),
            )
        };
        if !is_cve(&entry.id) {
            return Err(invalid("cveID", &entry.id));
        }
        if !is_day(&entry.added) {
            return Err(invalid("dateAdded", &entry.added));
        }
        // Named twice: known since the first time.
        let known = entries
            .entry(entry.id)
            .or_insert_with(|| entry.added.clone());
        if entry.added < *known {
            *known = entry.added;
        }
    }
    Ok(KevCatalogue { entries })
}

#[derive(Deserialize)]
struct Catalogue {
    count: Option<u64>,
    vulnerabilities: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "cveID")]
    id: String,
    #[serde(rename = "dateAdded")]
    added: String,
}

/// `2024-03-01`: four, two and two digits.
fn is_day(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, code: DocumentCode, place: &str) {
        let error = read(text.as_bytes()).expect_err("refused");
        assert_eq!((error.code, error.place.as_str()), (code, place), "{error}");
    }

    #[test]
    fn a_whole_catalogue_is_read() {
        let catalogue = read(
            br#"{"title":"t","count":3,"vulnerabilities":[
                {"cveID":"CVE-2024-1","dateAdded":"2024-02-01","dueDate":"2024-03-01"},
                {"cveID":"CVE-2023-1","dateAdded":"2023-02-01"},
                {"cveID":"CVE-2024-1","dateAdded":"2024-01-01"}]}"#,
        )
        .expect("a good catalogue");
        let entries: Vec<_> = catalogue
            .entries
            .iter()
            .map(|(id, day)| format!("{id} {day}"))
            .collect();
        assert_eq!(entries, ["CVE-2023-1 2023-02-01", "CVE-2024-1 2024-01-01"]);
    }

    #[test]
    fn a_catalogue_is_whole_or_refused() {
        let entry = r#"{"cveID":"CVE-2024-1","dateAdded":"2024-02-01"}"#;
        let code = DocumentCode::KevInvalid;
        refused(
            &format!(r#"{{"count":2,"vulnerabilities":[{entry}]}}"#),
            code,
            "count",
        );
        refused(
            &format!(r#"{{"vulnerabilities":[{entry}"#),
            DocumentCode::Truncated,
            "line 1 column 67",
        );
        refused(
            r#"{"vulnerabilities":[{"cveID":"CVE-1"}]}"#,
            code,
            "vulnerabilities[0]",
        );
        refused(
            r#"{"vulnerabilities":[{"cveID":"CVE-1","dateAdded":"soon"}]}"#,
            code,
            "vulnerabilities[0].dateAdded",
        );
        refused(
            r#"{"vulnerabilities":[{"cveID":"GHSA-1","dateAdded":"2024-02-01"}]}"#,
            code,
            "vulnerabilities[0].cveID",
        );
        refused("{}", code, "line 1 column 2");
    }
}
