//! `GET /jobs/{jobId}/logs`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::JobId;
use jobengine_store::LogLine;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::identity::Caller;
use crate::page::page_limit;
use crate::params::{PathParams, QueryParams};
use crate::problem::Problem;
use crate::state::AppState;

/// The list and its order, as its tokens name it.
const BY: &str = "log_id";

/// Which lines, and how many
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Only lines of this attempt, counted from 1.
    #[param(minimum = 1)]
    attempt: Option<u32>,
    /// Items on the page, 1 to 500; 100 unless said otherwise.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// Where the page before ended.
    continuation_token: Option<String>,
}

/// A page of a job's log
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogPage {
    /// The lines, oldest first.
    items: Vec<LogLineView>,
    /// Where the next page starts; null on the last one.
    continuation_token: Option<String>,
}

/// A line that a worker wrote down
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LogLine)]
struct LogLineView {
    /// When it arrived.
    #[schema(format = DateTime)]
    at: String,
    /// Which attempt wrote it.
    attempt: u32,
    /// `debug`, `info`, `warn` or `error`.
    level: String,
    /// The line; control characters are escaped.
    line: String,
    /// Whether it was longer than 8 KiB: then this is its beginning.
    cut: bool,
}

/// Read a job's log
///
/// The lines that its workers wrote down, kept for 14 days.
#[utoipa::path(
    get, path = "/jobs/{jobId}/logs", operation_id = "job_logs", tag = "jobs",
    extensions(("x-scope" = json!("orch:payload"))),
    params(("jobId" = uuid::Uuid, Path, description = "The job's id"), Query),
    responses(
        (status = 200, description = "A page of its log", body = LogPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
        (status = 404, description = "No such job of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(id): PathParams<JobId>,
    QueryParams(query): QueryParams<Query>,
) -> Result<Json<LogPage>, Problem> {
    let limit = page_limit(query.limit)?;
    let pages = caller.pages();
    let after = pages.resume::<Uuid>(BY, query.continuation_token.as_deref())?;
    let tx = state.store().read(&caller).await?;
    let job = tx.job_find(id).await?;
    let lines = tx.log_page(id, query.attempt, after, limit).await?;
    tx.commit().await?;
    job.ok_or_else(|| Problem::not_found("job"))?;
    Ok(Json(LogPage {
        continuation_token: pages.after_page(BY, &lines, limit, |last| last.id),
        items: lines.into_iter().map(LogLineView::from).collect(),
    }))
}

impl From<LogLine> for LogLineView {
    fn from(line: LogLine) -> Self {
        Self {
            at: line.at.to_string(),
            attempt: line.attempt,
            level: line.level,
            line: line.line,
            cut: line.cut,
        }
    }
}
