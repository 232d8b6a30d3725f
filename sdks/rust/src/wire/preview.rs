//! What a change of advisories would hit.

use serde::{Deserialize, Serialize};

/// Answer to a preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImpactPreview {
    /// The packages that are touched.
    pub packages: Vec<PackageImpact>,
    /// How many images are hit.
    pub images_impacted: u64,
    /// How many there are.
    pub images_total: u64,
    /// The first of them, at most 1000.
    #[serde(default)]
    pub images: Vec<String>,
}

/// How far one package reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PackageImpact {
    /// The package (`npm/left-pad`).
    pub package: String,
    /// How many images are hit by it.
    pub images: u64,
}
