//! Findings: which flaws which images have.

use serde::{Deserialize, Serialize};

/// Which findings to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindingFilter {
    /// Those of this image (`sha256:…`).
    Image(String),
    /// Those of this package (`npm/left-pad`).
    Package(String),
}

/// One finding: of one image, or of all images that have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The image, when one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The component, as its SBOM spells it.
    pub purl: String,
    /// The package, as it was judged.
    pub package: String,
    /// The flaw.
    pub group: String,
    /// All advisories that say so.
    pub advisories: Vec<String>,
    /// `unknown`, `low`, `medium`, `high`, `critical`.
    pub severity: String,
    /// Whether it is known to be exploited.
    pub kev: bool,
    /// How many images have it, when a package was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<u64>,
}
