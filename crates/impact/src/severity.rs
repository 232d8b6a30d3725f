//! How bad a flaw is.

use serde::{Deserialize, Serialize};

/// A CVSS vector as an advisory carries it (`CVSS_V3`, `CVSS:3.1/AV:N/…`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeverityVector {
    /// `CVSS_V2`, `CVSS_V3`, `CVSS_V4`.
    pub kind: String,
    /// The vector.
    pub score: String,
}

/// Severity in five steps, ordered from least to most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nobody said.
    #[default]
    Unknown,
    /// A score above 0.
    Low,
    /// 4.0 and more.
    Medium,
    /// 7.0 and more.
    High,
    /// 9.0 and more.
    Critical,
}
