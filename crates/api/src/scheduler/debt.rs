//! `GET /debts`: images that runs left out, until a later run has evaluated them.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use jobengine_domain::digest::Digest;
use jobengine_domain::id::RunId;
use jobengine_domain::time::Timestamp;
use jobengine_impact::evaluate::Scope;
use jobengine_store::DebtRecord;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::identity::Caller;
use crate::page::PageQuery;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::route::Routes;
use crate::state::AppState;

/// The list and its order.
const BY: &str = "impact-debts";

pub(super) fn routes() -> Routes {
    Routes::new().add(routes!(impact_debt_list))
}

/// A page of debts.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ImpactDebtPage {
    /// By the image's digest.
    items: Vec<ImpactDebt>,
    /// Where the next page starts; `null` on the last one.
    continuation_token: Option<String>,
}

/// An image that a run was to evaluate and did not.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ImpactDebt {
    /// The image.
    #[schema(value_type = String)]
    image: Digest,
    /// The packages that were not evaluated, sorted; left out when it is all of the image.
    #[schema(value_type = Option<Vec<String>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    packages: Option<BTreeSet<String>>,
    /// Why the last run left it out: how the segment's job ended (`failed`, `canceled`, `timed_out`, `skipped`), or
    /// `unusable` for its result.
    #[schema(example = "failed")]
    reason: String,
    /// Runs that left it out, one after the other.
    tries: u32,
    /// Generation of the run that left it out first.
    first_generation: u64,
    /// Generation of the run that left it out last.
    last_generation: u64,
    /// When the first run left it out.
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    /// From when on it is planned again.
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    /// The run that evaluates it now; left out while it waits.
    #[schema(value_type = Option<String>, format = Uuid)]
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<RunId>,
}

impl From<DebtRecord> for ImpactDebt {
    fn from(record: DebtRecord) -> Self {
        let debt = record.debt;
        Self {
            image: debt.image,
            packages: match debt.scope {
                Scope::All => None,
                Scope::Packages(packages) => {
                    Some(packages.iter().map(ToString::to_string).collect())
                }
            },
            reason: debt.reason,
            tries: debt.tries,
            first_generation: debt.first,
            last_generation: debt.last,
            opened_at: record.opened_at,
            due_at: record.due_at,
            run_id: record.paid_by,
        }
    }
}

/// List what is owed
///
/// Images that a run was to evaluate and did not. Each is planned again by itself, after 30 seconds and then after
/// twice as long each time, up to an hour; never given up. `POST /runs/{runId}:retry` does it at once.
#[utoipa::path(
    get, path = "/debts", operation_id = "impact_debt_list", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.read"))),
    params(PageQuery),
    responses(
        (status = 200, description = "A page of debts", body = ImpactDebtPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
async fn impact_debt_list(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<PageQuery>,
) -> Result<Json<ImpactDebtPage>, Problem> {
    let page = query.of::<Digest>(caller.pages(), BY)?;
    let tx = state.store().read(&caller).await?;
    let records = tx.debt_list(page.after, page.limit).await?;
    tx.commit().await?;
    let continuation_token = page.next(&records, |last| last.debt.image);
    Ok(Json(ImpactDebtPage {
        items: records.into_iter().map(Into::into).collect(),
        continuation_token,
    }))
}
