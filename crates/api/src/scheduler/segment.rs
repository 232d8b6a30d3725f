//! `GET /segments/{jobId}`: what a worker needs to evaluate its slice of a run.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use jobengine_domain::id::{JobId, RunId};
use jobengine_impact::segment_input::SegmentInput;
use jobengine_store::{JobRecord, LeaseToken, StoreError, Tx};
use serde::Deserialize;
use utoipa_axum::routes;

use super::INTAKE_MAX;
use crate::heavy::heavy;
use crate::identity::Caller;
use crate::lease_token::LeaseTokenHeader;
use crate::params::PathParams;
use crate::problem::{Code, Problem};
use crate::route::Routes;
use crate::state::AppState;

pub(super) fn routes() -> Routes {
    Routes::new().add_within(INTAKE_MAX, routes!(segment_get))
}

/// Read a segment
///
/// Everything that is needed to evaluate the segment that a job of type `impact.evaluate` stands for, as its run
/// pinned it: `runId`, `ordinal`, `scope` (`"all"` or `{"packages":[…]}`), `images` (`digest`, `names`,
/// `components`: places in the next list), `components`, `advisories`, `kev` and `vex`. The same segment has the
/// same input for ever. Only the holder of the job's lease may read it.
#[utoipa::path(
    get, path = "/segments/{jobId}", operation_id = "segment_get", tag = "scheduler",
    extensions(("x-scope" = json!("orch:worker"))),
    params(
        ("jobId" = String, Path, format = Uuid, description = "The job"),
        ("X-Lease-Token" = String, Header, format = Uuid, description = "The lease token of the grant"),
    ),
    responses(
        (status = 200, description = "The segment's input", body = Object, content_type = "application/json"),
        (status = 400, description = "Not the id of a job, or no lease token (PARAMETER_INVALID)"),
        (status = 404, description = "The job is not a segment (NOT_FOUND)"),
        (status = 409, description = "The token does not hold the job's lease, or no longer (LEASE_LOST)"),
    )
)]
async fn segment_get(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(job): PathParams<JobId>,
    LeaseTokenHeader(token): LeaseTokenHeader,
) -> Result<impl IntoResponse, Problem> {
    // Not read only: the lease is kept from ending while what it gives sight of is read.
    let tx = state.store().begin(&caller).await?;
    let found = find(&tx, job, token).await?;
    tx.commit().await?;
    let input = match found {
        Found::Segment(input) => input,
        Found::NoSegment => return Err(Problem::not_found("segment")),
        Found::LeaseLost => return Err(Problem::lease_lost()),
    };
    let body = heavy(move || serde_json::to_vec(&*input)).await?;
    let body = body.map_err(|error| {
        tracing::error!(%error, "a segment's input cannot be written");
        Problem::new(Code::Internal, "the failure is in the log of the service")
    })?;
    Ok(([(CONTENT_TYPE, "application/json")], body))
}

enum Found {
    Segment(Box<SegmentInput>),
    NoSegment,
    LeaseLost,
}

async fn find(tx: &Tx, job: JobId, token: LeaseToken) -> Result<Found, StoreError> {
    // First of all: who holds no lease learns nothing of the job, not even whether it exists.
    if tx.lease_check(job, token).await?.is_none() {
        return Ok(Found::LeaseLost);
    }
    let Some((run, ordinal)) = tx.job_find(job).await?.as_ref().and_then(slice) else {
        return Ok(Found::NoSegment);
    };
    match tx.segments_get(run, Some(ordinal)).await?.first() {
        None => Ok(Found::NoSegment),
        Some(segment) => {
            let input = tx.segment_input(run, segment).await?;
            Ok(Found::Segment(Box::new(input)))
        }
    }
}

/// What a segment's job says of it, as far as is needed here.
#[derive(Deserialize)]
struct Payload {
    ordinal: u32,
}

/// The run and the ordinal that a job stands for.
fn slice(job: &JobRecord) -> Option<(RunId, u32)> {
    let payload: Payload = serde_json::from_str(&job.payload).ok()?;
    Some((job.run?, payload.ordinal))
}
