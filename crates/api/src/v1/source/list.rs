//! `GET /sources`

use axum::Json;
use axum::extract::State;
use jobengine_store::{SourceFilter, SourceRecord};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::view::Source;
use crate::identity::Caller;
use crate::page::page_limit;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::state::AppState;

/// The list and its order, as its tokens name it.
const BY: &str = "source name";

/// Which sources, and how many
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Only sources of this kind.
    kind: Option<String>,
    /// Only paused ones, or only others.
    paused: Option<bool>,
    /// Items on the page, 1 to 500; 100 unless said otherwise.
    limit: Option<u32>,
    /// Where the page before ended.
    continuation_token: Option<String>,
}

/// A page of sources
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SourcePage {
    /// The sources, by name.
    items: Vec<Source>,
    /// Where the next page starts; null on the last one.
    continuation_token: Option<String>,
}

/// List sources
///
/// A source is there once somebody made it, or a document came in for it.
#[utoipa::path(
    get, path = "/sources", operation_id = "source_list", tag = "sources",
    extensions(("x-scope" = json!("orch:read"))),
    params(Query),
    responses(
        (status = 200, description = "A page of sources", body = SourcePage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<Query>,
) -> Result<Json<SourcePage>, Problem> {
    let limit = page_limit(query.limit)?;
    let pages = caller.pages();
    let after: Option<String> = pages.resume(BY, query.continuation_token.as_deref())?;
    let filter = SourceFilter {
        kind: query.kind,
        paused: query.paused,
    };
    let tx = state.store().read(&caller).await?;
    let records = tx.source_list(&filter, after.as_deref(), limit).await?;
    tx.commit().await?;
    let name = |last: &SourceRecord| last.name.clone();
    let continuation_token = pages.after_page(BY, &records, limit, name);
    Ok(Json(SourcePage {
        items: records.into_iter().map(Source::of).collect(),
        continuation_token,
    }))
}
