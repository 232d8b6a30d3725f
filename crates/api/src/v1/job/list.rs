//! `GET /jobs`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::{JobId, ProjectId, RunId};
use jobengine_domain::time::Timestamp;
use jobengine_store::{JobFilter, JobPlace};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::view::JobView;
use crate::identity::Caller;
use crate::page::page_limit;
use crate::params::QueryParams;
use crate::problem::{Code, Problem};
use crate::state::AppState;

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
/// Longest text that is looked for.
const TEXT_MAX: usize = 128;

/// Which jobs, and how many
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Only jobs of this run.
    #[param(value_type = Option<Uuid>)]
    run_id: Option<RunId>,
    /// Only jobs in one of these states: `blocked`, `queued`, `leased`, `succeeded`, `failed`, `canceled`,
    /// `timed_out`, `skipped`, separated by commas.
    #[param(
        pattern = r"^\s*(?:(?:blocked|queued|leased|succeeded|failed|canceled|timed_out|skipped)?(?:,(?:blocked|queued|leased|succeeded|failed|canceled|timed_out|skipped)?)*)\s*$",
        example = "failed,timed_out"
    )]
    state: Option<String>,
    /// Only jobs of this type.
    r#type: Option<String>,
    /// Only jobs for this source.
    source: Option<String>,
    /// Only jobs with this tag.
    tag: Option<String>,
    /// Only jobs of this project.
    #[param(value_type = Option<Uuid>)]
    project_id: Option<ProjectId>,
    /// Only jobs with this correlation id.
    correlation_id: Option<String>,
    /// Only jobs submitted at this moment or later, to the millisecond.
    #[param(value_type = Option<String>, format = DateTime)]
    submitted_from: Option<Timestamp>,
    /// Only jobs submitted before this moment, to the millisecond.
    #[param(value_type = Option<String>, format = DateTime)]
    submitted_to: Option<Timestamp>,
    /// The beginning of the job's id (8 hex digits or more, as a UUID is written), or else a part of its key,
    /// type or correlation id in upper or lower case; up to 128 characters.
    #[param(max_length = 128)]
    q: Option<String>,
    /// `oldest` first, unless said otherwise, or `newest` first.
    #[serde(default)]
    #[param(value_type = Option<String>, pattern = "^(oldest|newest)$")]
    order: Order,
    /// Items on the page, 1 to 500; 100 unless said otherwise.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// Where the page before ended.
    continuation_token: Option<String>,
}

/// The order of a list.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Order {
    #[default]
    Oldest,
    Newest,
}

impl Order {
    /// The list and its order, as its tokens name it.
    const fn by(self) -> &'static str {
        match self {
            Self::Oldest => "job_id",
            Self::Newest => "job_id desc",
        }
    }
}

/// A page of jobs
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobPage {
    /// The jobs.
    items: Vec<JobView>,
    /// Where the next page starts; null on the last one.
    continuation_token: Option<String>,
}

/// Search jobs
///
/// Without payloads, results and attempts. Every filter that is given must hold. A search looks at some
/// thousand jobs at most: when few of them pass, the page is short or even empty and its token leads on.
/// Only a null token says that there are no more.
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
    let (order, pages) = (query.order, caller.pages());
    let place = JobPlace {
        newest_first: order == Order::Newest,
        after: pages.resume::<JobId>(order.by(), query.continuation_token.as_deref())?,
        limit: page_limit(query.limit)?,
    };
    let filter = query.filter(&caller)?;
    let tx = state.store().read(&caller).await?;
    let found = tx.job_search(&filter, place).await?;
    tx.commit().await?;
    let resume = found.resume;
    Ok(Json(JobPage {
        continuation_token: resume.map(|last| pages.continuation(order.by(), &last)),
        items: found.jobs.into_iter().map(JobView::brief).collect(),
    }))
}

impl Query {
    fn filter(self, caller: &Caller) -> Result<JobFilter, Problem> {
        let refuse = |detail: String| Problem::new(Code::ParameterInvalid, detail);
        let states = self.state.as_deref().map_or("", str::trim);
        let states = states.split(',').filter(|state| !state.is_empty());
        let states: std::collections::BTreeSet<String> = states.map(str::to_owned).collect();
        if !states.iter().all(|state| STATES.contains(&state.as_str())) {
            return Err(refuse(format!("state is some of {}", STATES.join(", "))));
        }
        for text in [
            &self.q,
            &self.r#type,
            &self.source,
            &self.tag,
            &self.correlation_id,
        ] {
            let sound = |text: &String| text.chars().count() <= 200 && !text.contains('\0');
            if !text.as_ref().is_none_or(sound) {
                return Err(refuse(
                    "a text of the query is too long, or holds NUL".to_owned(),
                ));
            }
        }
        let too_long = |text: &String| text.chars().count() > TEXT_MAX;
        if self.q.as_ref().is_some_and(too_long) {
            return Err(refuse(format!("q has at most {TEXT_MAX} characters")));
        }
        Ok(JobFilter {
            states,
            job_type: self.r#type,
            source: self.source,
            tag: self.tag,
            run: self.run_id,
            // A caller that is bound to a project sees no other: its index leads.
            project: self.project_id.or(caller.project),
            correlation_id: self.correlation_id,
            from: self.submitted_from,
            to: self.submitted_to,
            text: self.q.filter(|text| !text.is_empty()),
        })
    }
}
