//! SBOMs: what an image is made of.

mod cyclonedx;
mod parts;
mod source;
mod spdx;
mod subject;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::document::{Document, DocumentCode, DocumentError};
use crate::package::Package;
use crate::purl::{SourcePackage, identify};

/// Bytes of one SBOM document.
pub const SBOM_MAX_BYTES: usize = 32 * 1024 * 1024;

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
    /// Every name that the document gives it, for VEX statements about images: references (`redis:7`) and
    /// purls (`pkg:oci/redis?tag=7`), at most 50.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub names: BTreeSet<String>,
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
    /// Whether its document states no source package, so that the binary package's name stands for
    /// it: a finding that rests on it may belong to another source package, and others be missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub source_assumed: bool,
}

impl Component {
    /// The component of this purl, with the source package that its document states beside the purl.
    pub fn new(purl: &str, stated: Option<&SourcePackage>) -> Self {
        let (identity, source_assumed) = match identify(purl, stated) {
            Ok(found) => (Ok(found.package), found.source_assumed),
            Err(reason) => (Err(reason), false),
        };
        Self {
            purl: purl.to_owned(),
            identity,
            source_assumed,
        }
    }
}

/// Reads an SBOM: `CycloneDX` JSON 1.2 to 1.6 or SPDX JSON 2.2 and 2.3.
///
/// What the document describes (the image, the application) is not a component of it. Components
/// without a purl are left out; each distinct purl counts once, where it occurs first. The source
/// package of a Debian component is looked for in the component's own entry, whatever tool wrote the
/// document. A purl that
/// names nothing known stays, with the reason; one with a broken percent escape refuses the
/// document, because nobody can say what was meant.
///
/// # Errors
/// What [`Document::check`] and [`Document::parse`] refuse; [`DocumentCode::SbomFormatUnknown`],
/// [`DocumentCode::SbomVersionUnsupported`], [`DocumentCode::SbomFieldInvalid`],
/// [`DocumentCode::PurlInvalid`].
pub fn read(bytes: &[u8]) -> Result<Sbom, DocumentError> {
    let document = Document::check(bytes, SBOM_MAX_BYTES)?;
    let head: Head = document.parse(DocumentCode::SbomFormatUnknown)?;
    if head.bom_format.as_deref() == Some("CycloneDX") {
        return cyclonedx::read(&document);
    }
    if head.spdx_version.is_some() {
        return spdx::read(&document);
    }
    if head.graph.is_some() {
        return Err(document.refuse(
            DocumentCode::SbomVersionUnsupported,
            "@graph",
            "this looks like SPDX 3; SPDX 2.2 and 2.3 are read",
        ));
    }
    Err(document.refuse(
        DocumentCode::SbomFormatUnknown,
        "bomFormat",
        "neither `bomFormat` of CycloneDX nor `spdxVersion` of SPDX is there",
    ))
}

/// The fields that tell the formats apart.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "bomFormat")]
    bom_format: Option<String>,
    #[serde(rename = "spdxVersion")]
    spdx_version: Option<String>,
    #[serde(rename = "@graph")]
    graph: Option<serde::de::IgnoredAny>,
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
    /// A Debian component without its release.
    DebianReleaseUnknown,
    /// A Debian component whose source package an earlier release did not look for. Only read.
    DebianSourceUnknown,
    /// The component's version, or a version in the advisory, cannot be ordered.
    VersionNotComparable(String),
    /// The advisory names the package but neither a version nor a range that can be read.
    VersionsNotStated,
    /// The advisory says more of the package than could be read, and what could be read does not hit.
    RangesNotRead,
}

/// A short phrase for a person.
impl fmt::Display for Unmatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PurlInvalid(why) => write!(f, "not a purl: {why}"),
            Self::EcosystemUnsupported(kind) => write!(f, "`{kind}` packages are not judged"),
            Self::VersionMissing => f.write_str("the purl has no version"),
            Self::DebianReleaseUnknown => {
                f.write_str("the document does not name the Debian release")
            }
            Self::DebianSourceUnknown => {
                f.write_str("the document was read before Debian source packages were looked for")
            }
            Self::VersionNotComparable(version) => {
                write!(f, "the version `{version}` cannot be ordered")
            }
            Self::VersionsNotStated => f.write_str("the advisory states no versions"),
            Self::RangesNotRead => {
                f.write_str("the advisory has a range or version that could not be read")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_of_an_earlier_release_are_read() {
        let read = |text: &str| serde_json::from_str::<Component>(text).expect("a component");
        let judged = read(
            r#"{"identity":{"Ok":{"key":"Debian:11/a","version":"1"}},"purl":"pkg:deb/debian/a@1?distro=debian-11"}"#,
        );
        assert!(judged.identity.is_ok() && !judged.source_assumed);
        let unknown = read(
            r#"{"identity":{"Err":{"reason":"debian-source-unknown"}},"purl":"pkg:deb/debian/a@1"}"#,
        );
        assert_eq!(unknown.identity, Err(Unmatched::DebianSourceUnknown));
    }

    #[test]
    fn an_assumed_source_is_written_down_and_read_back() {
        let check = |purl: &str, written: bool| {
            let component = Component::new(purl, None);
            let text = serde_json::to_string(&component).expect("JSON");
            assert_eq!(text.contains("sourceAssumed"), written, "{text}");
            assert_eq!(
                serde_json::from_str::<Component>(&text).expect("back"),
                component
            );
        };
        check("pkg:deb/debian/a@1?distro=debian-11", true);
        check("pkg:deb/debian/a@1?distro=debian-11&upstream=b", false);
        check("pkg:npm/a@1", false);
    }
}
