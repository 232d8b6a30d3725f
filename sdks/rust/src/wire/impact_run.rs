//! Impact runs: evaluations of the images that a change hits.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One impact run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImpactRun {
    /// Which run.
    pub run_id: Uuid,
    /// The state of knowledge it evaluates; rises.
    pub generation: i64,
    /// `analysisOnly`.
    pub mode: String,
    /// `running`, `completed`.
    pub state: String,
    /// Digest of its plan.
    pub plan_digest: String,
    /// Slices it was cut into.
    pub segments: u64,
    /// Images it evaluates.
    pub images_impacted: u64,
    /// Images in the fleet.
    pub images_total: u64,
    /// Advisories whose change caused it.
    pub advisories_changed: u64,
    /// How urgent.
    pub priority: String,
    /// How its jobs ended, once it is completed: `succeeded`, `partial`, `failed` or `canceled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Images that it left out, once it is completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images_not_evaluated: Option<u64>,
    /// Images that it left out and that no later run has evaluated.
    #[serde(default)]
    pub images_owed: u64,
    /// What changed, once it is completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta: Option<Delta>,
    /// When it was planned.
    pub created_at: String,
    /// When it was completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<String>,
}

/// An image that a run was to evaluate and did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImpactDebt {
    /// The image.
    pub image: String,
    /// The packages that were not evaluated; `None`: all of the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packages: Option<Vec<String>>,
    /// Why the last run left it out.
    pub reason: String,
    /// Runs that left it out, one after the other.
    pub tries: u32,
    /// Generation of the run that left it out first.
    pub first_generation: i64,
    /// Generation of the run that left it out last.
    pub last_generation: i64,
    /// When the first run left it out.
    pub opened_at: String,
    /// From when on it is planned again.
    pub due_at: String,
    /// The run that evaluates it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<Uuid>,
}

/// What changed, as numbers of (image, finding).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delta {
    /// There now and not before.
    pub new: u64,
    /// There before and not now.
    pub fixed: u64,
    /// Of severity critical now and not before.
    pub critical: u64,
    /// Of severity high now and not before.
    pub high: u64,
    /// Known to be exploited now and not before.
    pub kev: u64,
}

/// What changed, in all and by image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunDeltas {
    /// In all.
    pub delta: Delta,
    /// By image, where something changed.
    pub images: Vec<ImageDelta>,
}

/// What changed in one image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageDelta {
    /// The image.
    pub image: String,
    /// What changed.
    #[serde(flatten)]
    pub delta: Delta,
}

/// One document that a run was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunInput {
    /// `sbom`, `advisory`, `kev`, `vex`.
    pub kind: String,
    /// What it speaks of.
    pub subject: String,
    /// Digest of the document.
    pub digest: String,
}

/// How far the reading of a change stream is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cursor {
    /// Which stream.
    pub stream: String,
    /// Changes that no run has taken up yet.
    pub pending: u64,
    /// How long the oldest of them waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_pending_ms: Option<u64>,
}
