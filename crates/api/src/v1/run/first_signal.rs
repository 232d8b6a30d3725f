//! `GET /runs/{runId}/first-signal`

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header::{ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jobengine_domain::digest::Digest;
use jobengine_domain::id::RunId;
use jobengine_store::FirstSignal;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::identity::Caller;
use crate::params::{PathParams, QueryParams};
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// Longest wait, in milliseconds.
const WAIT_MAX_MS: u64 = 30_000;
/// The handler's time: the wait, and what it takes to look.
pub(super) const WITHIN: Duration = Duration::from_secs(45);
/// How often is looked, while somebody waits: at most, and at least.
const LOOK_EVERY: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(250)];

/// Whether to wait
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// How long to wait for the signal, in milliseconds; 0 unless said otherwise.
    #[param(maximum = 30_000)]
    wait_ms: Option<u64>,
}

/// The first sign of life of a run
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FirstSignal)]
pub(super) struct SignalView {
    /// The run.
    run_id: Uuid,
    /// The job that gave it.
    job_id: Uuid,
    /// Its type.
    job_type: String,
    /// What happened to it: `leased`, or how it ended without.
    #[schema(example = "leased")]
    state: String,
    /// When.
    #[schema(format = DateTime)]
    at: String,
}

/// Read the first signal of a run
///
/// When a worker got the first of its jobs, or a job ended without: for whoever wants to know that
/// something happens. It never changes once it is there, so its tag holds for ever.
#[utoipa::path(
    get, path = "/runs/{runId}/first-signal", operation_id = "run_first_signal", tag = "runs",
    extensions(("x-scope" = json!("orch:read"))),
    params(
        ("runId" = Uuid, Path, description = "The run's id"),
        Query,
        ("If-None-Match" = Option<String>, Header, description = "The tag of the signal that is known already"),
    ),
    responses(
        (status = 200, description = "The signal", body = SignalView, headers(("ETag" = String, description = "Its tag, a weak one"))),
        (status = 204, description = "Nothing has happened yet"),
        (status = 304, description = "It is the one that is known already"),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such run of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    PathParams(id): PathParams<RunId>,
    QueryParams(query): QueryParams<Query>,
) -> Result<Response, Problem> {
    let wait = query.wait_ms.unwrap_or(0);
    if wait > WAIT_MAX_MS {
        let detail = format!("waitMs is at most {WAIT_MAX_MS}");
        return Err(Problem::new(Code::ParameterInvalid, detail));
    }
    let until = Instant::now() + Duration::from_millis(wait);
    let mut commits = state.store().commits();
    loop {
        commits.mark_unchanged();
        if let Some(signal) = look(&state, &caller, id).await? {
            return Ok(answer(id, signal, &headers));
        }
        if Instant::now() >= until || state.shutdown().is_cancelled() {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        // This process's commits are heard; another replica's are looked for.
        let [least, most] = LOOK_EVERY;
        tokio::time::sleep(least).await;
        tokio::select! {
            _ = tokio::time::timeout(most, commits.changed()) => {}
            () = state.shutdown().cancelled() => {}
        }
    }
}

async fn look(
    state: &AppState,
    caller: &Caller,
    id: RunId,
) -> Result<Option<FirstSignal>, Problem> {
    let tx = state.store().read(caller).await?;
    let run = tx.run_find(id).await?;
    let signal = match &run {
        Some(run) => tx.run_first_signal(id, run.started_at).await?,
        None => None,
    };
    tx.commit().await?;
    if run.is_none() {
        return Err(Problem::not_found("run"));
    }
    Ok(signal)
}

fn answer(run: RunId, signal: FirstSignal, headers: &HeaderMap) -> Response {
    let view = SignalView {
        run_id: run.0,
        job_id: signal.job.0,
        job_type: signal.job_type,
        state: signal.state,
        at: signal.at.to_string(),
    };
    let json = serde_json::to_vec(&view).expect("a signal is plain JSON");
    let tag = format!("W/\"{}\"", &Digest::of(&json).hex()[..16]);
    let known = headers.get_all(IF_NONE_MATCH).iter().any(|value| {
        let tags = value.to_str().unwrap_or_default();
        tags.split(',')
            .map(str::trim)
            .any(|known| known == tag || known == "*")
    });
    let tag = HeaderValue::from_str(&tag).expect("hex digits stand in a header");
    if known {
        return (StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response();
    }
    ([(ETAG, tag)], Json(view)).into_response()
}
