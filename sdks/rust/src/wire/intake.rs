//! What became of documents that were sent.

use serde::{Deserialize, Serialize};

/// What an SBOM describes, as far as the sender knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SbomSubject {
    /// Digest of the image; needed where the document does not name it.
    pub image: Option<String>,
    /// Where the image comes from (`docker.io/library/redis`).
    pub repository: Option<String>,
    /// Its tag there.
    pub tag: Option<String>,
    /// Where it runs.
    pub namespace: Option<String>,
    /// Whether the image's entry point uses it.
    pub used_by_entrypoint: Option<bool>,
}

/// Answer to an SBOM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SbomStored {
    /// The image.
    pub image_digest: String,
    /// The document.
    pub sbom_digest: String,
    /// `CycloneDX-1.5`, `SPDX-2.3`.
    pub format: String,
    /// How many components it has.
    pub components: u64,
    /// How many of them cannot be judged.
    pub unmatched: u64,
    /// Whether the image's inventory is another one now.
    pub changed: bool,
}

/// What advisories are sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntakeMode {
    /// All that the source has: what is no longer in it is gone.
    Snapshot,
    /// Some that are new or changed.
    Delta,
}

impl IntakeMode {
    /// The wire spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Delta => "delta",
        }
    }
}

/// Answer to advisories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdvisoriesStored {
    /// Where they come from.
    pub source: String,
    /// Records in the document.
    pub received: u64,
    /// Records that were good.
    pub stored: u64,
    /// Records that differ from what was known.
    pub changed: u64,
    /// Records that are gone or withdrawn.
    pub withdrawn: u64,
    /// Records that were known so.
    pub unchanged: u64,
    /// Records that were refused.
    #[serde(default)]
    pub problems: Vec<IntakeProblem>,
}

/// One refused record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IntakeProblem {
    /// Stable.
    pub code: String,
    /// Where in the document.
    pub place: String,
    /// What is wrong.
    pub detail: String,
}

/// Answer to a catalogue of exploited flaws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KevStored {
    /// Entries in all.
    pub entries: u64,
    /// Entries that were not there before.
    pub added: u64,
    /// Entries that are gone.
    pub removed: u64,
    /// Entries with another day.
    pub changed: u64,
}

/// Answer to a VEX document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VexStored {
    /// The document's own id.
    pub document: String,
    /// The path or URL that it is known by within its source.
    pub location: String,
    /// Statements in it.
    pub statements: u64,
    /// Whether it says something else than what was known.
    pub changed: bool,
    /// What stood at the location and no longer counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<VexReplaced>,
}

/// A VEX document that another one took the place of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VexReplaced {
    /// Its own id.
    pub document: String,
    /// Digest of its statements.
    pub digest: String,
    /// When these statements came first.
    pub created_at: String,
}
