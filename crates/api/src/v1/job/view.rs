//! A job as it is shown.

use jobengine_domain::class::FailureClass;
use jobengine_store::{AttemptRecord, JobRecord, UnderWay};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::class::ClassName;

/// A job as it stands in the ledger
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Job)]
pub(crate) struct JobView {
    /// Its id.
    job_id: Uuid,
    /// Its run, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<Uuid>,
    /// Its name within its run.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Which workers may claim it.
    r#type: String,
    /// Its band: the one it was submitted with or was given since; of a job that has ended, the first.
    #[schema(example = "normal")]
    priority: &'static str,
    /// `blocked`, `queued`, `leased`, `succeeded`, `failed`, `canceled`, `timed_out` or `skipped`.
    #[schema(example = "queued")]
    state: String,
    /// Attempts granted so far.
    attempts: u32,
    /// Attempts in all.
    max_attempts: u32,
    /// When it may start, while it waits for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ready_at: Option<String>,
    /// When it was submitted.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<String>,
    /// What it died of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ClassName>)]
    class: Option<&'static str>,
    /// What its last worker said.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// SHA-256 of the payload's bytes.
    payload_digest: String,
    /// Follows the job through logs and events.
    correlation_id: String,
    /// The project it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<Uuid>,
    /// The name of the upstream it works for.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// Words to find it by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    /// The ended job that it repeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    replay_of: Option<Uuid>,
    /// The payload; only of a single job, and only with `orch:payload`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<serde_json::Value>)]
    payload: Option<Box<RawValue>>,
    /// What its worker reported; only of a single job, and only with `orch:payload`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<serde_json::Value>)]
    result: Option<Box<RawValue>>,
    /// Its attempts that have ended; only of a single job.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt_history: Option<Vec<AttemptView>>,
    /// The attempt under way; only of a single job.
    #[serde(skip_serializing_if = "Option::is_none")]
    under_way: Option<UnderWayView>,
}

/// An attempt under way, as its worker tells of it
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UnderWay)]
pub(crate) struct UnderWayView {
    /// Counted from 1.
    attempt: u32,
    /// The session of the worker that makes it.
    session_id: Uuid,
    /// When its worker said that it has begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<String>,
    /// How far it is, in thousandths.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 1000)]
    permille: Option<u16>,
    /// The same in a few words.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// When that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    progress_at: Option<String>,
}

/// An attempt
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Attempt)]
pub(crate) struct AttemptView {
    /// Counted from 1.
    attempt: u32,
    /// Rises at every grant.
    fence: i64,
    /// When it was granted.
    #[schema(format = DateTime)]
    granted_at: String,
    /// When its worker said that it has begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<String>,
    /// `succeeded`, `failed`, `expired`, `released`, `canceled` or `timed_out`.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    /// What it died of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ClassName>)]
    class: Option<&'static str>,
    /// What its worker said.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl JobView {
    /// Without payload, result and attempts.
    pub(super) fn brief(job: JobRecord) -> Self {
        Self {
            job_id: job.id.0,
            run_id: job.run.map(|run| run.0),
            key: Some(job.key).filter(|key| !key.is_empty()),
            r#type: job.job_type,
            priority: job.priority.as_str(),
            state: job.state,
            attempts: job.attempts,
            max_attempts: job.max_attempts,
            ready_at: job.ready_at.map(|at| at.to_string()),
            created_at: job.created_at.to_string(),
            ended_at: job.ended_at.map(|at| at.to_string()),
            class: job.class.map(FailureClass::as_str),
            detail: job.detail,
            payload_digest: job.payload_digest.to_string(),
            correlation_id: job.correlation_id,
            project_id: job.project.map(|project| project.0),
            source: job.source,
            tags: job.tags,
            replay_of: job.replay_of.map(|job| job.0),
            payload: None,
            result: None,
            attempt_history: None,
            under_way: None,
        }
    }

    /// With its attempts, and with payload and result for whom may see them.
    pub(super) fn whole(
        mut job: JobRecord,
        attempts: Vec<AttemptRecord>,
        under_way: Option<UnderWay>,
        payload: bool,
    ) -> Self {
        let (text, result) = (std::mem::take(&mut job.payload), job.result.take());
        let mut view = Self::brief(job);
        if payload {
            view.payload = raw(text);
            view.result = result.and_then(raw);
        }
        let ended = attempts.into_iter().filter(|attempt| attempt.end.is_some());
        view.attempt_history = Some(ended.map(AttemptView::from).collect());
        view.under_way = under_way.map(UnderWayView::from);
        view
    }
}

impl From<AttemptRecord> for AttemptView {
    fn from(attempt: AttemptRecord) -> Self {
        let (ended_at, cause) = attempt.end.unzip();
        Self {
            attempt: attempt.attempt,
            fence: attempt.fence,
            granted_at: attempt.granted_at.to_string(),
            started_at: attempt.started_at.map(|at| at.to_string()),
            ended_at: ended_at.map(|at| at.to_string()),
            cause,
            class: attempt.class.map(FailureClass::as_str),
            detail: attempt.detail,
        }
    }
}

impl From<UnderWay> for UnderWayView {
    fn from(under_way: UnderWay) -> Self {
        let said = under_way.progress;
        let (permille, note, at) = match said {
            Some((permille, note, at)) => (Some(permille), note, Some(at.to_string())),
            None => (None, None, None),
        };
        Self {
            attempt: under_way.attempt,
            session_id: under_way.session.0,
            started_at: under_way.started_at.map(|at| at.to_string()),
            permille,
            note,
            progress_at: at,
        }
    }
}

/// Stored JSON text, written into an answer as it is; it was checked when it came in.
pub(crate) fn raw(text: String) -> Option<Box<RawValue>> {
    RawValue::from_string(text).ok()
}
