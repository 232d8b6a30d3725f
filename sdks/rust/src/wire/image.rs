//! Images of the fleet.

use serde::{Deserialize, Serialize};

/// One image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// Which image.
    pub digest: String,
    /// Where it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Its tags there.
    #[serde(default)]
    pub tags: Vec<String>,
    /// How many components its SBOM has.
    pub components: u64,
    /// The SBOM.
    pub sbom_digest: String,
    /// How many findings it has, once it was evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<u64>,
}
