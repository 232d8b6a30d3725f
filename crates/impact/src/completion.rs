//! What is said of a completed run: the predicate of its signed event.

use std::collections::BTreeSet;

use jobengine_domain::digest::Digest;
use jobengine_domain::id::{RunId, SessionId, TenantId};
use jobengine_domain::statement::{RUN_COMPLETION, Statement, Subject};
use serde::{Deserialize, Serialize};

use crate::summary::DeltaSummary;

/// The predicate of type [`RUN_COMPLETION`]. No moment of time is in it: the same run over the
/// same inputs says the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunCompletion {
    /// Whose run.
    pub tenant_id: TenantId,
    /// Which run.
    pub run_id: RunId,
    /// Its number among the tenant's impact runs.
    pub generation: u64,
    /// `analysisOnly` or `contentRefresh`.
    pub mode: String,
    /// How its jobs ended: `succeeded`, `partial`, `failed`, `canceled`.
    pub result: String,
    /// Digest of its plan.
    pub plan_digest: Digest,
    /// Digest of the canonical list of its inputs, which the service gives out.
    pub inputs_digest: Digest,
    /// Flaws whose effect changed.
    pub advisories_changed: u64,
    /// Images in the fleet when it was planned.
    pub images_total: u64,
    /// Images that were evaluated: the statement's subjects.
    pub images_evaluated: u64,
    /// Images whose segment failed: their findings stand as they were.
    pub images_not_evaluated: BTreeSet<Digest>,
    /// What changed in all.
    pub delta: DeltaSummary,
    /// What changed image by image; images without a change are left out. Sorted by digest.
    pub images: Vec<ImageDelta>,
    /// Attempts that ended because no heartbeat came.
    pub leases_expired: u64,
    /// Every attempt at every segment, in order.
    pub attempts: Vec<SegmentAttempt>,
}

/// What changed in one image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageDelta {
    /// The image.
    pub image: Digest,
    /// What changed.
    #[serde(flatten)]
    pub delta: DeltaSummary,
}

/// One attempt at one segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SegmentAttempt {
    /// The segment's name within the run.
    pub segment: String,
    /// Counted from 1.
    pub attempt: u32,
    /// How it ended.
    pub outcome: String,
    /// The worker session that ran it.
    pub worker: SessionId,
}

/// The statement about a completed run, its subjects the images that were evaluated, each with the
/// name it is known by.
pub fn statement(
    evaluated: impl IntoIterator<Item = (String, Digest)>,
    completion: RunCompletion,
) -> Statement<RunCompletion> {
    let subjects = evaluated
        .into_iter()
        .map(|(name, digest)| Subject::new(name, &digest));
    Statement::new(subjects.collect(), RUN_COMPLETION, completion)
}
