//! `GET /events/stream`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jobengine_domain::id::{JobId, ProjectId, RunId};
use serde::Deserialize;
use utoipa::IntoParams;

use super::query::{Origin, Wanted, start};
use crate::identity::Caller;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::state::AppState;
use crate::stream::{Reader, response};

/// Which events, from where on
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Only events of this run.
    #[param(value_type = Option<Uuid>)]
    run_id: Option<RunId>,
    /// Only events of this job.
    #[param(value_type = Option<Uuid>)]
    job_id: Option<JobId>,
    /// Only events of these types, separated by commas.
    #[param(example = "job.succeeded,job.failed")]
    types: Option<String>,
    /// Only events of this project.
    #[param(value_type = Option<Uuid>)]
    project_id: Option<ProjectId>,
    /// Go on after this cursor; `Last-Event-ID` says the same and goes before it.
    after: Option<String>,
    /// Where to begin without a cursor: `now`, unless said otherwise, or with the `oldest` event that is kept.
    #[param(value_type = Option<String>, example = "now")]
    from: Option<Origin>,
}

impl Query {
    /// What is wanted, after which cursor, and where to begin without one.
    pub(super) fn parts(self) -> (Wanted, Option<String>, Origin) {
        let wanted = Wanted {
            run_id: self.run_id,
            job_id: self.job_id,
            types: self.types,
            project_id: self.project_id,
        };
        (wanted, self.after, self.from.unwrap_or_default())
    }
}

/// Stream events
///
/// Server-sent events, in commit order and without gaps: `id` is the cursor to go on from, `event` the
/// type, `data` the envelope. A comment every 15 seconds says that the stream is alive, and its `id` how
/// far it has come. The last event is of type `end` and says why the stream ends: `slow` (the connection
/// took nothing for too long), `shutdown`, `token` (it has expired or was revoked) or `expired` (what came
/// next is no longer kept).
#[utoipa::path(
    get, path = "/events/stream", operation_id = "event_stream", tag = "events",
    extensions(("x-scope" = json!("orch:read"))),
    params(
        Query,
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was received"),
    ),
    responses(
        (status = 200, description = "The stream, until its end", body = String, content_type = "text/event-stream"),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
        (status = 404, description = "The token is bound to another project (NOT_FOUND)"),
        (status = 410, description = "What came after the cursor is no longer kept (EVENT_CURSOR_EXPIRED)"),
        (status = 429, description = "The tenant or the node has too many streams (STREAM_LIMIT_REACHED)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    QueryParams(query): QueryParams<Query>,
) -> Result<Response, Problem> {
    let (wanted, after, origin) = query.parts();
    let start = start(&caller, &headers, after.as_deref(), origin)?;
    let filter = wanted.filter(&caller)?;
    let reader = Reader::open(&state, caller, "sse", filter, start).await?;
    Ok(response(reader))
}
