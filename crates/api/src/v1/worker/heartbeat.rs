//! `POST /worker/heartbeat`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::{JobId, SessionId};
use jobengine_domain::lease::LeaseMs;
use jobengine_store::{Beat, Directive};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::held::HeldLease;
use super::progress::NOTE_MAX;
use crate::check::Checks;
use crate::identity::Caller;
use crate::json::JsonBody;
use crate::problem::Problem;
use crate::state::AppState;

/// Jobs one worker can hold at once, as far as one heartbeat can name them.
const LEASES_MAX: usize = 2_000;

/// A worker is alive
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SendHeartbeat {
    /// The worker process.
    #[serde(deserialize_with = "jobengine_domain::id::deserialize")]
    session_id: Uuid,
    /// Every lease it holds. One that is not named, though it was granted a whole lease ago, ends.
    #[schema(max_items = 2_000)]
    leases: Vec<HeldLease>,
    /// How far jobs are, where that changed; only of jobs that are among the leases.
    #[serde(default)]
    #[schema(max_items = 2_000)]
    progress: Vec<Progress>,
}

/// How far a job is
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Progress {
    /// The job.
    #[serde(deserialize_with = "jobengine_domain::id::deserialize")]
    job_id: Uuid,
    /// 0 to 1000.
    #[schema(maximum = 1000)]
    permille: u16,
    /// In a few words.
    #[schema(max_length = 200)]
    note: Option<String>,
}

/// What to do until the next heartbeat
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Heartbeat)]
pub(super) struct HeartbeatTaken {
    /// How long the leases last from now on, in milliseconds.
    lease_duration_ms: u32,
    /// When to send the next heartbeat, in milliseconds.
    heartbeat_ms: u32,
    /// One for each lease that was named, in order.
    directives: Vec<JobDirective>,
}

/// What to do with one job
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct JobDirective {
    /// The job.
    job_id: Uuid,
    /// `continue`; or `leaseLost`: stop, nothing you report about it counts. Further words may come:
    /// a lease that is not `leaseLost` is held.
    #[schema(value_type = String, example = "continue")]
    directive: &'static str,
}

/// Send a heartbeat
///
/// Holds every lease of the session with one write. A session that is over, or that another
/// principal opened, holds nothing: every lease is `leaseLost`.
#[utoipa::path(
    post, path = "/worker/heartbeat", operation_id = "worker_heartbeat", tag = "workers",
    extensions(("x-scope" = json!("orch:worker")), ("x-effect" = json!("granted"))),
    request_body = SendHeartbeat,
    responses(
        (status = 200, description = "What to do until the next heartbeat", body = HeartbeatTaken),
        (status = 400, description = "The body is not JSON as we take it (JSON_MALFORMED)"),
        (status = 413, description = "More than 256 KiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Not application/json (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "A field is not valid (REQUEST_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    JsonBody(request): JsonBody<SendHeartbeat>,
) -> Result<Json<HeartbeatTaken>, Problem> {
    request.check()?;
    let progress = request.progress.into_iter();
    let beat = Beat {
        session: SessionId(request.session_id),
        subject: caller.subject.clone(),
        held: request.leases.iter().map(HeldLease::parts).collect(),
        progress: progress
            .map(|word| (JobId(word.job_id), word.permille, word.note))
            .collect(),
    };
    let answer = state.heartbeats().ask(caller.tenant, beat).await?;
    let lease = answer.lease_ms.and_then(|ms| LeaseMs::new(ms).ok());
    let lease = lease.unwrap_or(state.lease());
    let directives = request.leases.iter().zip(answer.directives);
    let directives = directives.map(|(held, directive)| JobDirective {
        job_id: held.job_id,
        directive: match directive {
            Directive::Continue => "continue",
            Directive::LeaseLost => {
                state.metrics().lease_lost("worker_heartbeat");
                "leaseLost"
            }
        },
    });
    Ok(Json(HeartbeatTaken {
        lease_duration_ms: lease.get(),
        heartbeat_ms: lease.heartbeat_ms(),
        directives: directives.collect(),
    }))
}

impl SendHeartbeat {
    fn check(&self) -> Result<(), Problem> {
        let mut checks = Checks::default();
        for (field, found) in [
            ("leases", self.leases.len()),
            ("progress", self.progress.len()),
        ] {
            let detail = format!("holds {found}; at most {LEASES_MAX} are taken");
            checks.hold(found <= LEASES_MAX, || field.to_owned(), "RANGE", detail);
        }
        for (at, progress) in self.progress.iter().enumerate() {
            let sound = progress.permille <= 1_000;
            checks.hold(
                sound,
                || format!("progress[{at}].permille"),
                "RANGE",
                "0 to 1000",
            );
            if let Some(note) = &progress.note {
                checks.text(|| format!("progress[{at}].note"), note, NOTE_MAX);
            }
        }
        checks.end()
    }
}
