//! A dead letter as it is shown.

use jobengine_domain::digest::Digest;
use jobengine_domain::json_diff::Difference;
use jobengine_domain::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::class::ClassName;

/// A job out of attempts
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeadLetter {
    /// The job that failed.
    job_id: Uuid,
    /// Its run, if any.
    run_id: Option<Uuid>,
    /// Its type.
    r#type: String,
    /// The upstream it worked for.
    source: Option<String>,
    /// Follows the job through logs and events.
    correlation_id: String,
    /// What its last attempt died of.
    #[schema(value_type = ClassName)]
    class: &'static str,
    /// What its worker said.
    detail: String,
    /// The detail with its variables masked: alike for failures of one cause.
    #[schema(example = "read <n>: connection reset")]
    signature: String,
    /// When the job failed.
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    /// Who looks after it.
    owner: Option<String>,
    /// `open`, `replayed` or `discarded`.
    #[schema(example = "open")]
    decision: String,
    /// When that was decided.
    #[schema(value_type = Option<String>, format = DateTime)]
    decided_at: Option<Timestamp>,
    /// Who decided it.
    decided_by: Option<String>,
    /// Why.
    reason: Option<String>,
    /// The job that repeats this one.
    replay_job_id: Option<Uuid>,
    /// What the replay's payload has otherwise, as operations of a JSON Patch with the values before; only with
    /// `orch:payload`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    payload_diff: Option<Vec<Difference>>,
}

impl DeadLetter {
    /// `payload`: whether the caller may see payloads.
    pub(super) fn of(letter: jobengine_store::DeadLetter, payload: bool) -> Self {
        let (decided_at, decided_by) = letter.decided.unzip();
        let diff = letter.payload_diff.filter(|_| payload);
        Self {
            job_id: letter.job.0,
            run_id: letter.run.map(|run| run.0),
            r#type: letter.job_type,
            source: letter.source,
            correlation_id: letter.correlation_id,
            class: letter.class.as_str(),
            detail: letter.detail,
            signature: letter.signature,
            opened_at: letter.opened_at,
            owner: letter.owner,
            decision: letter.decision,
            decided_at,
            decided_by,
            reason: letter.reason,
            replay_job_id: letter.replay.map(|job| job.0),
            payload_diff: diff.and_then(|text| serde_json::from_str(&text).ok()),
        }
    }

    /// What an audit row names the dead letter by.
    pub(super) fn digest(&self) -> Digest {
        Digest::of(&serde_json::to_vec(self).expect("a dead letter is plain JSON"))
    }
}
