//! `GET /runs`: impact runs, newest first.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::ImpactRun;
use crate::identity::Caller;
use crate::page::PageQuery;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::route::Routes;
use crate::state::AppState;

/// The list and its order.
const BY: &str = "impact-runs";

pub(super) fn routes() -> Routes {
    Routes::new().add(routes!(impact_run_list))
}

/// A page of impact runs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ImpactRunPage {
    /// By generation, newest first.
    items: Vec<ImpactRun>,
    /// Where the next page starts; `null` on the last one.
    continuation_token: Option<String>,
}

/// List the impact runs
#[utoipa::path(
    get, path = "/runs", operation_id = "impact_run_list", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.read"))),
    params(PageQuery),
    responses(
        (status = 200, description = "A page of impact runs", body = ImpactRunPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
async fn impact_run_list(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<PageQuery>,
) -> Result<Json<ImpactRunPage>, Problem> {
    let page = query.of::<u64>(caller.pages(), BY)?;
    let tx = state.store().read(&caller).await?;
    let records = tx.impact_run_list(page.after, page.limit).await?;
    tx.commit().await?;
    let continuation_token = page.next(&records, |last| last.generation);
    Ok(Json(ImpactRunPage {
        items: records.into_iter().map(Into::into).collect(),
        continuation_token,
    }))
}
