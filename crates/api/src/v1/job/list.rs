//! `GET /jobs`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::{JobId, RunId};
use jobengine_store::JobFilter;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::view::JobView;
use crate::identity::Caller;
use crate::page::page_limit;
use crate::params::QueryParams;
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// The list and its order, as its tokens name it.
const BY: &str = "job_id";
/// Every state a job can be in.
const STATES: [&str; 8] = [
    "blocked",
    "queued",
    "leased",
    "succeeded",
    "failed",
    "canceled",
    "timed_out",
    "skipped",
];

/// Which jobs, and how many
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Only jobs of this run.
    run_id: Option<Uuid>,
    /// Only jobs in this state.
    #[param(pattern = "^(blocked|queued|leased|succeeded|failed|canceled|timed_out|skipped)$")]
    state: Option<String>,
    /// Only jobs of this type.
    r#type: Option<String>,
    /// Items on the page, 1 to 500; 100 unless said otherwise.
    limit: Option<u32>,
    /// Where the page before ended.
    continuation_token: Option<String>,
}

/// A page of jobs
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobPage {
    /// The jobs, oldest first.
    items: Vec<JobView>,
    /// Where the next page starts; null on the last one.
    continuation_token: Option<String>,
}

/// List jobs
///
/// Oldest first, without payloads, results and attempts.
#[utoipa::path(
    get, path = "/jobs", operation_id = "job_list", tag = "jobs",
    extensions(("x-scope" = json!("orch:read"))),
    params(Query),
    responses(
        (status = 200, description = "A page of jobs", body = JobPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<Query>,
) -> Result<Json<JobPage>, Problem> {
    let known = |state: &String| STATES.contains(&state.as_str());
    if !query.state.as_ref().is_none_or(known) {
        let detail = format!("state is one of {}", STATES.join(", "));
        return Err(Problem::new(Code::ParameterInvalid, detail));
    }
    let limit = page_limit(query.limit)?;
    let filter = JobFilter {
        run: query.run_id.map(RunId),
        state: query.state,
        job_type: query.r#type,
        after: caller
            .pages()
            .resume::<JobId>(BY, query.continuation_token.as_deref())?,
        limit,
    };
    let tx = state.store().read(&caller).await?;
    let jobs = tx.job_list(&filter).await?;
    tx.commit().await?;
    Ok(Json(JobPage {
        continuation_token: caller.pages().after_page(BY, &jobs, limit, |last| last.id),
        items: jobs.into_iter().map(JobView::brief).collect(),
    }))
}
