//! `GET /jobs/{jobId}/events/stream`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jobengine_domain::id::JobId;

use super::of_one::Query;
use super::query::Wanted;
use crate::identity::Caller;
use crate::params::{PathParams, QueryParams};
use crate::problem::Problem;
use crate::state::AppState;
use crate::stream::{Reader, response};

/// Stream the events of a job
///
/// As `GET /events/stream`, for one job: with everything that has happened to it, then what happens.
#[utoipa::path(
    get, path = "/jobs/{jobId}/events/stream", operation_id = "job_event_stream", tag = "events",
    extensions(("x-scope" = json!("orch:read"))),
    params(
        ("jobId" = uuid::Uuid, Path, description = "The job's id"),
        Query,
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was received"),
    ),
    responses(
        (status = 200, description = "The stream, until its end", body = String, content_type = "text/event-stream"),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
        (status = 404, description = "No such job of this tenant (NOT_FOUND)"),
        (status = 410, description = "What came after the cursor is no longer kept (EVENT_CURSOR_EXPIRED)"),
        (status = 429, description = "The tenant or the node has too many streams (STREAM_LIMIT_REACHED)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    PathParams(id): PathParams<JobId>,
    QueryParams(query): QueryParams<Query>,
) -> Result<Response, Problem> {
    let one = Wanted {
        job_id: Some(id),
        ..Wanted::default()
    };
    let (start, filter) = query.read(&caller, &headers, one)?;
    let tx = state.store().read(&caller).await?;
    let known = tx.job_find(id).await?.is_some();
    tx.commit().await?;
    if !known {
        return Err(Problem::not_found("job"));
    }
    let reader = Reader::open(&state, caller, "sse", filter, start).await?;
    Ok(response(reader))
}
