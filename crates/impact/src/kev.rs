//! The catalogue of known exploited vulnerabilities (CISA KEV).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Known exploited CVEs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KevCatalogue {
    /// CVE id → the day it was added (`2024-03-01`).
    pub entries: BTreeMap<String, String>,
}
