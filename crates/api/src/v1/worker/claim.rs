//! `POST /worker/claim`

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use jobengine_domain::defaults::{CLAIM_MAX, CLAIM_WAIT_MAX_MS};
use jobengine_domain::digest::Digest;
use jobengine_domain::id::{SessionId, TenantId};
use jobengine_domain::lease::LeaseMs;
use jobengine_domain::time::Timestamp;
use jobengine_store::{ActKey, WorkerSession};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::act::{Act, key};
use crate::check::Checks;
use crate::claim::{Ask, Claimed};
use crate::json::JsonBody;
use crate::problem::{Code, Problem};
use crate::state::AppState;
use crate::v1::job::{is_type, raw};

/// On an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Longest name of a worker.
const WORKER_MAX: usize = 200;
/// Most jobs at once that a worker may say it does.
const SLOTS_MAX: u32 = 10_000;
/// Job types in one claim.
const TYPES_MAX: usize = 50;

/// A worker asks for jobs
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ClaimJobs {
    /// The worker process; it draws a fresh UUID when it starts.
    #[serde(deserialize_with = "jobengine_domain::id::deserialize")]
    session_id: Uuid,
    /// What the worker calls itself, for people.
    #[schema(min_length = 1, max_length = 200)]
    worker: String,
    /// Which jobs it can do.
    #[schema(min_items = 1, max_items = 50)]
    types: Vec<String>,
    /// How many at most.
    #[schema(minimum = 1, maximum = 100)]
    max: u32,
    /// How long to wait for the first, in milliseconds; 0 unless said otherwise.
    #[serde(default)]
    #[schema(maximum = 30_000)]
    wait_ms: u64,
    /// How many jobs the worker does at once, busy or not: for those who watch. It limits nothing.
    #[schema(minimum = 1, maximum = 10_000)]
    slots: Option<u32>,
}

/// Jobs for a worker
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobsClaimed {
    /// The jobs; none when the wait was over first.
    grants: Vec<Grant>,
    /// How long a lease lasts without a heartbeat, in milliseconds.
    lease_duration_ms: u32,
    /// How often to send a heartbeat, in milliseconds.
    heartbeat_ms: u32,
}

/// One attempt at one job, handed to a worker
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Grant {
    /// The job.
    job_id: Uuid,
    /// Its run, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<Uuid>,
    /// Its name within its run.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Its type.
    r#type: String,
    /// Names the lease; not secret.
    lease_id: Uuid,
    /// Proof of holding the lease; secret.
    lease_token: Uuid,
    /// Rises at every grant of every job.
    fence: i64,
    /// When the lease ends unless a heartbeat comes, by the server's clock: for people. A worker goes
    /// by `leaseDurationMs` and a clock of its own that is never set.
    #[schema(format = DateTime)]
    lease_until: String,
    /// How long the lease lasts without a heartbeat, in milliseconds.
    lease_duration_ms: u32,
    /// How often to send a heartbeat, in milliseconds.
    heartbeat_ms: u32,
    /// Counted from 1.
    attempt: u32,
    /// Attempts in all.
    max_attempts: u32,
    /// The same in every attempt at the job: what effects outside are keyed by.
    idempotency_key: String,
    /// What to do, byte for byte as it was submitted.
    #[schema(value_type = serde_json::Value)]
    payload: Box<RawValue>,
    /// SHA-256 of the payload's bytes.
    payload_digest: String,
    /// The job's owner.
    tenant: Uuid,
    /// The project it is done for, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<Uuid>,
    /// The source it works for, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// What it was tagged with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    /// Follows the job through logs and events.
    correlation_id: String,
    /// Where the attempt stands in its trace (W3C Trace Context): what the worker records is part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
}

/// Claim jobs
///
/// Waits for the first job as long as asked, and hands out as many as there are up to `max`: those that are
/// first over all the named types together, by priority and by the time they were submitted. An
/// attempt is counted when it is handed out. The claim also opens the worker's session, which
/// heartbeats keep open; a session belongs to the principal that opened it.
///
/// With an `Idempotency-Key` each claim of a session can be repeated for seven days: the same request under the same key
/// gets the same grants, as far as they are still held, with `Idempotency-Replayed: true`, and never others. A claim
/// that was answered with no jobs is not remembered: its repeat claims. While the first one still waits, its repeat takes
/// its place, and the first is answered `IDEMPOTENCY_IN_PROGRESS`. Grants that no heartbeat names for the time of a lease end.
///
/// A job that was among the jobs of a lost worker, and that one more lost worker would end, is granted alone: to a session
/// that holds nothing else, and that gets no other job until it has ended.
#[utoipa::path(
    post, path = "/worker/claim", operation_id = "worker_claim", tag = "workers",
    extensions(("x-scope" = json!("orch:worker")), ("x-effect" = json!("granted"))),
    request_body = ClaimJobs,
    responses(
        (status = 200, description = "Jobs, or none when the wait was over first", body = JobsClaimed,
         headers(("Idempotency-Replayed" = Option<bool>, description = "`true` when these were granted before, to the same claim"))),
        (status = 400, description = "The body is not JSON as we take it (JSON_MALFORMED)"),
        (status = 409, description = "Another principal opened the session, or a repeat took the place of this claim (SESSION_TAKEN, IDEMPOTENCY_IN_PROGRESS)"),
        (status = 413, description = "More than 256 KiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Not application/json (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "A field is not valid, or the key was used for another claim (REQUEST_INVALID, IDEMPOTENCY_KEY_REUSED)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    headers: HeaderMap,
    JsonBody(request): JsonBody<ClaimJobs>,
) -> Result<Response, Problem> {
    request.check()?;
    let caller = act.caller();
    let mut record = act.record();
    record.key = key(&headers, false)?.map(|key| ActKey {
        hash: Digest::of(format!("{} {key}", request.session_id).as_bytes()),
        request: request.digest(),
    });
    let types: BTreeSet<String> = request.types.into_iter().collect();
    let ask = Ask {
        session: WorkerSession {
            id: SessionId(request.session_id),
            worker: request.worker,
            subject: caller.subject.clone(),
            slots: request.slots,
        },
        types: types.into_iter().collect(),
        max: request.max,
        wait: Duration::from_millis(request.wait_ms),
        act: record,
    };
    let Claimed {
        grants,
        at,
        replayed,
    } = state.claims().claim(caller.tenant, ask).await?;
    let lease = state.lease();
    let grants = grants
        .into_iter()
        .map(|grant| Grant::show(grant, at, lease, caller.tenant))
        .collect::<Result<_, _>>()?;
    let mut response = Json(JobsClaimed {
        grants,
        lease_duration_ms: lease.get(),
        heartbeat_ms: lease.heartbeat_ms(),
    })
    .into_response();
    if replayed {
        let headers = response.headers_mut();
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

impl ClaimJobs {
    /// Names what is asked for: the same claim has the same digest.
    fn digest(&self) -> Digest {
        let types: BTreeSet<&str> = self.types.iter().map(String::as_str).collect();
        let types: Vec<&str> = types.into_iter().collect();
        let (session, worker) = (self.session_id, &self.worker);
        let asked = (session, worker, types, self.max, self.wait_ms);
        Digest::of(&serde_json::to_vec(&asked).expect("a claim is plain JSON"))
    }

    fn check(&self) -> Result<(), Problem> {
        let mut checks = Checks::default();
        checks.text(|| "worker".to_owned(), &self.worker, WORKER_MAX);
        checks.count("types", self.types.len(), TYPES_MAX);
        for (at, job_type) in self.types.iter().enumerate() {
            let detail = "1 to 100 letters, digits and `._:/-` are taken";
            checks.hold(
                is_type(job_type),
                || format!("types[{at}]"),
                "VALUE",
                detail,
            );
        }
        let max = (1..=CLAIM_MAX).contains(&self.max);
        let detail = format!("1 to {CLAIM_MAX} are taken");
        checks.hold(max, || "max".to_owned(), "RANGE", detail);
        let slots = self
            .slots
            .is_none_or(|slots| (1..=SLOTS_MAX).contains(&slots));
        let detail = format!("1 to {SLOTS_MAX} are taken");
        checks.hold(slots, || "slots".to_owned(), "RANGE", detail);
        let wait = self.wait_ms <= CLAIM_WAIT_MAX_MS;
        let detail = format!("at most {CLAIM_WAIT_MAX_MS} are taken");
        checks.hold(wait, || "waitMs".to_owned(), "RANGE", detail);
        checks.end()
    }
}

impl Grant {
    fn show(
        grant: jobengine_store::Grant,
        at: Timestamp,
        lease: LeaseMs,
        tenant: TenantId,
    ) -> Result<Self, Problem> {
        let token = grant.token.reveal();
        let payload = raw(grant.payload).ok_or_else(|| {
            tracing::error!(job.id = %grant.job, "the payload of job {} is not JSON", grant.job);
            Problem::new(Code::Internal, "the failure is in the log of the service")
        })?;
        Ok(Self {
            job_id: grant.job.0,
            run_id: grant.run.map(|run| run.0),
            key: Some(grant.key).filter(|key| !key.is_empty()),
            r#type: grant.job_type,
            lease_id: public_name(token),
            lease_token: token,
            fence: grant.fence.0,
            lease_until: at.plus_ms(u64::from(lease.get())).to_string(),
            lease_duration_ms: lease.get(),
            heartbeat_ms: lease.heartbeat_ms(),
            attempt: grant.attempt,
            max_attempts: grant.max_attempts,
            idempotency_key: grant.job.to_string(),
            payload,
            payload_digest: grant.payload_digest.to_string(),
            tenant: tenant.0,
            project_id: grant.project.map(|project| project.0),
            source: grant.source,
            tags: grant.tags,
            correlation_id: grant.correlation_id,
            traceparent: grant.traceparent,
        })
    }
}

/// A name for a lease that does not give its token away: the first half of the token's digest.
fn public_name(token: Uuid) -> Uuid {
    let digest = Digest::of(token.as_bytes());
    let half = digest.as_bytes().first_chunk::<16>();
    Uuid::from_bytes(*half.expect("a digest has 32 bytes"))
}
