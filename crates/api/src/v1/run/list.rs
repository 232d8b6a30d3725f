//! `GET /runs`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::{ProjectId, RunId};
use jobengine_domain::time::Timestamp;
use jobengine_store::RunFilter;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::view::RunView;
use crate::identity::Caller;
use crate::page::page_limit;
use crate::params::QueryParams;
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// The list and its order, as its tokens name it.
const BY: &str = "run_id desc";
/// Every state a run can be in.
const STATES: [&str; 6] = [
    "queued",
    "running",
    "succeeded",
    "partial",
    "failed",
    "canceled",
];
/// Everything that can start a run.
const TRIGGERS: [&str; 7] = [
    "manual", "schedule", "backfill", "delta", "policy", "webhook", "replay",
];

/// Which runs, and how many
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Only runs in one of these states: `queued`, `running`, `succeeded`, `partial`, `failed`, `canceled`,
    /// separated by commas.
    #[param(
        pattern = r"^\s*(?:(?:queued|running|succeeded|partial|failed|canceled)?(?:,(?:queued|running|succeeded|partial|failed|canceled)?)*)\s*$",
        example = "failed,partial"
    )]
    state: Option<String>,
    /// Only runs with this trigger.
    #[param(pattern = "^(manual|schedule|backfill|delta|policy|webhook|replay)$")]
    trigger: Option<String>,
    /// Only runs of this project.
    #[param(value_type = Option<Uuid>)]
    project_id: Option<ProjectId>,
    /// Only runs for this source.
    source: Option<String>,
    /// Only runs created at this moment or later, to the millisecond.
    #[param(value_type = Option<String>, format = DateTime)]
    created_from: Option<Timestamp>,
    /// Only runs created before this moment, to the millisecond.
    #[param(value_type = Option<String>, format = DateTime)]
    created_to: Option<Timestamp>,
    /// Items on the page, 1 to 500; 100 unless said otherwise.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// Where the page before ended.
    continuation_token: Option<String>,
}

/// A page of runs
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunPage {
    /// The runs, newest first.
    items: Vec<RunView>,
    /// Where the next page starts; null on the last one.
    continuation_token: Option<String>,
}

/// Search runs
///
/// Newest first. Every filter that is given must hold. A search looks at some thousand runs at most: when
/// few of them pass, the page is short or even empty and its token leads on. Only a null token says that
/// there are no more.
#[utoipa::path(
    get, path = "/runs", operation_id = "run_list", tag = "runs",
    extensions(("x-scope" = json!("orch:read"))),
    params(Query),
    responses(
        (status = 200, description = "A page of runs", body = RunPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<Query>,
) -> Result<Json<RunPage>, Problem> {
    let limit = page_limit(query.limit)?;
    let pages = caller.pages();
    let before = pages.resume::<RunId>(BY, query.continuation_token.as_deref())?;
    let filter = query.filter(&caller)?;
    let tx = state.store().read(&caller).await?;
    let (runs, resume) = tx.run_search(&filter, before, limit).await?;
    tx.commit().await?;
    Ok(Json(RunPage {
        continuation_token: resume.map(|last| pages.continuation(BY, &last)),
        items: runs.into_iter().map(RunView::from).collect(),
    }))
}

impl Query {
    fn filter(self, caller: &Caller) -> Result<RunFilter, Problem> {
        let refuse = |detail: String| Problem::new(Code::ParameterInvalid, detail);
        let states = self.state.as_deref().unwrap_or_default().split(',');
        let states: std::collections::BTreeSet<String> = states
            .map(str::trim)
            .filter(|state| !state.is_empty())
            .map(str::to_owned)
            .collect();
        if !states.iter().all(|state| STATES.contains(&state.as_str())) {
            return Err(refuse(format!("state is some of {}", STATES.join(", "))));
        }
        let known = |trigger: &String| TRIGGERS.contains(&trigger.as_str());
        if !self.trigger.as_ref().is_none_or(known) {
            return Err(refuse(format!("trigger is one of {}", TRIGGERS.join(", "))));
        }
        if self.source.as_ref().is_some_and(|text| text.contains('\0')) {
            return Err(refuse("source holds NUL".to_owned()));
        }
        Ok(RunFilter {
            states,
            trigger: self.trigger,
            project: self.project_id.or(caller.project),
            source: self.source,
            from: self.created_from,
            to: self.created_to,
        })
    }
}
