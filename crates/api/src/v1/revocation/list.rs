//! `GET /identity/revocations`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::RevocationId;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::RevocationView;
use crate::identity::Caller;
use crate::page::PageQuery;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::state::AppState;

/// The list and its order, as its tokens name it.
const BY: &str = "revocation_id";

/// A page of revocations
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RevocationPage {
    /// Those that still matter, oldest first.
    items: Vec<RevocationView>,
    /// Where the next page starts; null on the last one.
    continuation_token: Option<String>,
}

/// List revocations
///
/// Oldest first. Those whose tokens have all expired are left out.
#[utoipa::path(
    get, path = "/identity/revocations", operation_id = "revocation_list", tag = "identity",
    extensions(("x-scope" = json!("orch:admin"))),
    params(PageQuery),
    responses(
        (status = 200, description = "A page of revocations", body = RevocationPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<PageQuery>,
) -> Result<Json<RevocationPage>, Problem> {
    caller.require_whole_tenant()?;
    let page = query.of::<RevocationId>(caller.pages(), BY)?;
    let tx = state.store().read(&caller).await?;
    let records = tx.revocations_page(page.after, page.limit).await?;
    tx.commit().await?;
    Ok(Json(RevocationPage {
        continuation_token: page.next(&records, |last| last.id),
        items: records.into_iter().map(RevocationView::from).collect(),
    }))
}
