//! `GET /tenants`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::TenantId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::installation;
use super::view::{Tenant, TenantState};
use crate::identity::Caller;
use crate::page::page_limit;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::state::AppState;

/// The list and its order, as its tokens name it.
const BY: &str = "tenant_id";

/// Which tenants, and how many
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Only tenants in this state: `active` or `suspended`.
    #[param(value_type = Option<String>, pattern = "^(active|suspended)$")]
    state: Option<TenantState>,
    /// Items on the page, 1 to 500; 100 unless said otherwise.
    limit: Option<u32>,
    /// Where the page before ended.
    continuation_token: Option<String>,
}

/// A page of tenants
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TenantPage {
    /// The tenants, by id; the installation's own comes first.
    items: Vec<Tenant>,
    /// Where the next page starts; null on the last one.
    continuation_token: Option<String>,
}

/// List tenants
#[utoipa::path(
    get, path = "/tenants", operation_id = "tenant_list", tag = "tenants",
    extensions(("x-scope" = json!("orch:admin"))),
    params(Query),
    responses(
        (status = 200, description = "A page of tenants", body = TenantPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
        (status = 403, description = "The token lacks the scope, or is of an ordinary tenant (SCOPE_MISSING, INSTALLATION_ONLY, TENANT_MISMATCH, TENANT_SUSPENDED)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<Query>,
) -> Result<Json<TenantPage>, Problem> {
    installation(&caller)?;
    let limit = page_limit(query.limit)?;
    let pages = caller.pages();
    let after: Option<TenantId> = pages.resume(BY, query.continuation_token.as_deref())?;
    let suspended = query.state.map(|state| state == TenantState::Suspended);
    let tx = state.store().read(&caller).await?;
    let records = tx.tenant_list(suspended, after, limit).await?;
    tx.commit().await?;
    let continuation_token = pages.after_page(BY, &records, limit, |last| last.id);
    Ok(Json(TenantPage {
        items: records.into_iter().map(Tenant::of).collect(),
        continuation_token,
    }))
}
