//! SBOMs: what an image is made of.

use serde::{Deserialize, Serialize};

use crate::package::Package;

/// What was read from one SBOM document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sbom {
    /// `CycloneDX-1.5`, `SPDX-2.3`.
    pub format: String,
    /// Digest of the described image (`sha256:…`), where the document names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_digest: Option<String>,
    /// Name of the described image or application, where the document names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The document's components that carry a purl, in its order, each purl once.
    pub components: Vec<Component>,
}

/// One component of an SBOM.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Component {
    /// The purl exactly as the document has it: half of a finding's identity.
    pub purl: String,
    /// The package it names, or why it cannot be judged.
    pub identity: Result<Package, Unmatched>,
}

/// Why a component or an advisory range cannot be judged. Listed, never silently dropped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "reason", content = "detail")]
pub enum Unmatched {
    /// The purl cannot be parsed.
    PurlInvalid(String),
    /// No version order is known for this purl type.
    EcosystemUnsupported(String),
    /// The purl has no version.
    VersionMissing,
    /// A Debian component without its source package or release.
    DebianSourceUnknown,
    /// The component's version, or a version in the advisory, cannot be ordered.
    VersionNotComparable(String),
    /// The advisory names the package but neither a version nor a range that can be read.
    VersionsNotStated,
}
