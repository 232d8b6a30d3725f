//! `GET /advisories`

use axum::Json;
use axum::extract::State;
use jobengine_domain::digest::Digest;
use jobengine_domain::id::SourceId;
use jobengine_domain::time::Timestamp;
use jobengine_impact::package::PackageKey;
use jobengine_store::{AdvisoryFilter, AdvisoryRecord};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::identity::Caller;
use crate::page::page_limit;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::route::Routes;
use crate::scheduler::name::{Name, SourceName};
use crate::state::AppState;

/// The list and its order.
const BY: &str = "advisories";

pub(super) fn routes() -> Routes {
    Routes::new().add(routes!(advisory_list))
}

/// Which advisories, and which page of them. Filters narrow each other.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only advisories of this source.
    #[param(value_type = Option<String>, max_length = 200, example = "osv")]
    source: Option<SourceName>,
    /// Only advisories that speak of this package.
    #[param(value_type = Option<String>, example = "npm/left-pad")]
    package: Option<PackageKey>,
    /// Only advisories that know a flaw under this name: their id, an alias, or a flaw they answer.
    #[param(value_type = Option<String>, max_length = 300, example = "CVE-2024-1")]
    flaw: Option<Name<300>>,
    /// Items on the page, 1 to 500; 100 unless said otherwise.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The token of the page before.
    continuation_token: Option<String>,
}

/// An advisory of one source.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AdvisoryEntry {
    /// Its id.
    #[schema(example = "GHSA-jfh8-c2jp-5v3q")]
    id: String,
    /// Where it comes from.
    source: String,
    /// What its flaw is called in findings.
    #[schema(example = "CVE-2024-1")]
    group: String,
    /// Digest of its facts.
    #[schema(value_type = String)]
    digest: Digest,
    /// When it was last changed, as its source says; empty when it does not.
    modified: String,
    /// When it was last changed here.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
}

impl AdvisoryEntry {
    pub(super) fn of(record: AdvisoryRecord) -> Self {
        Self {
            id: record.id,
            source: record.source_name,
            group: record.group,
            digest: record.digest,
            modified: record.modified,
            changed_at: record.changed_at,
        }
    }
}

/// A page of advisories.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AdvisoryPage {
    /// Sorted by source and id.
    items: Vec<AdvisoryEntry>,
    /// Where the next page starts; `null` on the last one.
    continuation_token: Option<String>,
}

/// List the advisories
///
/// Those that stand now. Two sources may have the same one; then it is listed for each.
#[utoipa::path(
    get, path = "/advisories", operation_id = "advisory_list", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.read"))),
    params(Filter),
    responses(
        (status = 200, description = "A page of advisories", body = AdvisoryPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
async fn advisory_list(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<Filter>,
) -> Result<Json<AdvisoryPage>, Problem> {
    let limit = page_limit(query.limit)?;
    let after: Option<(SourceId, String)> = caller
        .pages()
        .resume(BY, query.continuation_token.as_deref())?;
    let after = after.as_ref().map(|(source, id)| (*source, id.as_str()));
    let filter = AdvisoryFilter {
        source: query.source.map(Name::into_text),
        package: query.package,
        flaw: query.flaw.map(Name::into_text),
    };
    let tx = state.store().read(&caller).await?;
    let records = tx.advisory_list(&filter, after, limit).await?;
    tx.commit().await?;
    let place = |last: &AdvisoryRecord| (last.source, last.id.clone());
    let continuation_token = caller.pages().after_page(BY, &records, limit, place);
    Ok(Json(AdvisoryPage {
        items: records.into_iter().map(AdvisoryEntry::of).collect(),
        continuation_token,
    }))
}
