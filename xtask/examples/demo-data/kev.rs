//! The catalogue of known exploited vulnerabilities as it stood on a day.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::unpacked;

/// The catalogue in CISA's shape, reduced to ids and dates.
#[derive(Serialize, Deserialize)]
pub(super) struct Catalogue {
    vulnerabilities: Vec<Entry>,
    pub(super) count: usize,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "cveID")]
    cve_id: String,
    /// `2023-03-30`.
    date_added: String,
}

/// Reads the folder's first catalogue, of January 2025.
pub(super) fn read(data: &Path) -> Result<Catalogue> {
    let path = data.join("kev/kev.base.json.zst");
    serde_json::from_reader(unpacked(&path)?).with_context(|| path.display().to_string())
}

impl Catalogue {
    /// The entries added up to a day, by id: both snapshots are older than the first catalogue
    /// kept, and an entry's date of addition does not change.
    pub(super) fn known_on(&self, day: &str) -> Self {
        let known = self
            .vulnerabilities
            .iter()
            .filter(|entry| entry.date_added.as_str() <= day);
        let mut vulnerabilities: Vec<Entry> = known.cloned().collect();
        vulnerabilities.sort_by(|a, b| a.cve_id.cmp(&b.cve_id));
        Self {
            count: vulnerabilities.len(),
            vulnerabilities,
        }
    }
}
