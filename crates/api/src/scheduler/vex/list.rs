//! `GET /vex`

use axum::Json;
use axum::extract::State;
use jobengine_domain::digest::Digest;
use jobengine_domain::id::SourceId;
use jobengine_domain::time::Timestamp;
use jobengine_store::{VexEntry, VexFilter};
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
const BY: &str = "vex";

pub(super) fn routes() -> Routes {
    Routes::new().add(routes!(vex_list))
}

/// Which VEX documents, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only documents of this source.
    #[param(value_type = Option<String>, max_length = 200, example = "vendor-a")]
    source: Option<SourceName>,
    /// Only documents with this `@id`.
    #[param(value_type = Option<String>, max_length = 500, example = "https://vendor.example/vex/1")]
    document: Option<Name<500>>,
    /// Items on the page, 1 to 500; 100 unless said otherwise.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The token of the page before.
    continuation_token: Option<String>,
}

/// A VEX document of one source.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct VexDocument {
    /// Its `@id`; where it has none, the digest of its bytes.
    document: String,
    /// Whose it is.
    source: String,
    /// The path or URL under which the source has it.
    location: String,
    /// Digest of its statements.
    #[schema(value_type = String)]
    digest: Digest,
    /// When these statements came first.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl VexDocument {
    pub(super) fn of(entry: VexEntry) -> Self {
        Self {
            document: entry.record.document,
            source: entry.source,
            location: entry.record.location,
            digest: entry.record.digest,
            created_at: entry.created_at,
        }
    }
}

/// A page of VEX documents.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct VexPage {
    /// Sorted by source and location.
    items: Vec<VexDocument>,
    /// Where the next page starts; `null` on the last one.
    continuation_token: Option<String>,
}

/// List the VEX documents
///
/// Those that stand now.
#[utoipa::path(
    get, path = "/vex", operation_id = "vex_list", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.read"))),
    params(Filter),
    responses(
        (status = 200, description = "A page of documents", body = VexPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
async fn vex_list(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<Filter>,
) -> Result<Json<VexPage>, Problem> {
    let limit = page_limit(query.limit)?;
    let after: Option<(SourceId, String)> = caller
        .pages()
        .resume(BY, query.continuation_token.as_deref())?;
    let after = after.as_ref();
    let after = after.map(|(source, location)| (*source, location.as_str()));
    let filter = VexFilter {
        source: query.source.map(Name::into_text),
        document: query.document.map(Name::into_text),
    };
    let tx = state.store().read(&caller).await?;
    let entries = tx.vex_page(&filter, after, limit).await?;
    tx.commit().await?;
    let place = |last: &VexEntry| (last.record.source, last.record.location.clone());
    let continuation_token = caller.pages().after_page(BY, &entries, limit, place);
    Ok(Json(VexPage {
        items: entries.into_iter().map(VexDocument::of).collect(),
        continuation_token,
    }))
}
