//! `POST /dead-letters/{jobId}:replay`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::caller::Scope;
use jobengine_domain::defaults::PAYLOAD_MAX_BYTES;
use jobengine_domain::id::JobId;
use jobengine_domain::json_diff::{Difference, differences};
use jobengine_store::{Replayed, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::discard::decided;
use crate::act::{Act, Done};
use crate::check::Checks;
use crate::json::{JSON_MAX_BYTES, JsonBody};
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;
use crate::v1::job::refuse_segments;

/// How a job is repeated
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplayDeadLetter {
    /// Another payload: any JSON up to 128 KiB. The same one unless said otherwise; with it `orch:payload` is
    /// needed as well.
    #[serde(default)]
    #[schema(value_type = Option<serde_json::Value>, example = json!({"feed": "osv-npm"}))]
    payload: Option<Box<RawValue>>,
}

/// The job is in the ledger again
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeadLetterReplayed {
    /// The new job.
    job_id: Uuid,
    /// The job it repeats.
    replay_of: Uuid,
    /// What the new payload has otherwise, as operations of a JSON Patch with the values before; empty when it
    /// is the same.
    #[schema(value_type = Vec<Object>)]
    payload_diff: Vec<Difference>,
}

/// Replay a dead letter
///
/// A new job of high priority with the payload and metadata of the one that failed, or with an edited payload,
/// of which the difference is kept.
#[utoipa::path(
    post, path = "/dead-letters/{jobId}:replay", operation_id = "dead_letter_replay", tag = "dead letters",
    extensions(("x-scope" = json!("orch:operate")), ("x-effect" = json!("audited"))),
    params(("jobId" = uuid::Uuid, Path, description = "The id of the job that failed")),
    request_body = ReplayDeadLetter,
    responses(
        (status = 201, description = "The new job", body = DeadLetterReplayed),
        (status = 400, description = "The id or the body cannot be read (PARAMETER_INVALID, JSON_MALFORMED)"),
        (status = 404, description = "No dead letter of this tenant (NOT_FOUND)"),
        (status = 409, description = "It was decided before, its source takes nothing now, or it is a segment of an impact run (DEAD_LETTER_DECIDED, CONFLICT, SOURCE_PAUSED, SOURCE_DISABLED)"),
        (status = 413, description = "More than 256 KiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Not application/json (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "A field is not valid (REQUEST_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    PathParams(id): PathParams<JobId>,
    JsonBody(request): JsonBody<ReplayDeadLetter, JSON_MAX_BYTES>,
) -> Result<Response, Problem> {
    let edited = request.payload.as_ref().map(|payload| payload.get());
    if let Some(payload) = edited {
        act.caller().require(Scope::Payload)?;
        let mut checks = Checks::default();
        let detail = format!("at most {PAYLOAD_MAX_BYTES} bytes are taken");
        let fits = payload.len() <= PAYLOAD_MAX_BYTES;
        checks.hold(fits, || "payload".to_owned(), "TOO_LARGE", detail);
        checks.end()?;
    }
    act.perform(&state, async |tx| {
        if tx.dead_letter_find(id).await?.is_none() {
            return Err(Problem::not_found("dead letter").into());
        }
        if tx.dead_letters_lock(&[id]).await?.is_empty() {
            return Err(decided().into());
        }
        let mut replay = tx.replays(&[id]).await?;
        refuse_segments(&replay)?;
        let job = replay.first_mut().ok_or(StoreError::Stale("the job"))?;
        let mut diff = Vec::new();
        if let Some(payload) = edited {
            diff = difference(&job.payload, payload)?;
            payload.clone_into(&mut job.payload);
        }
        let kept = (!diff.is_empty())
            .then(|| serde_json::to_string(&diff).expect("differences are plain JSON"));
        let replayed = Replayed {
            by: &act.caller().subject,
            reason: act.reason(),
            payload_diff: kept.as_deref(),
        };
        let new = tx.jobs_replay(&replay, &replayed).await?;
        let answer = DeadLetterReplayed {
            job_id: new.first().ok_or(StoreError::Stale("the job"))?.0,
            replay_of: id.0,
            payload_diff: diff,
        };
        Ok(Done::created(answer).of("dead_letter", id))
    })
    .await
}

fn difference(before: &str, after: &str) -> Result<Vec<Difference>, StoreError> {
    let read = |text: &str| {
        serde_json::from_str(text).map_err(|_| StoreError::Corrupt {
            place: "job.payload",
        })
    };
    Ok(differences(&read(before)?, &read(after)?))
}
