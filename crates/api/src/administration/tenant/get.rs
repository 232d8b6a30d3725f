//! `GET /tenants/{tenantId}`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::TenantId;

use super::installation;
use super::view::Tenant;
use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// Read a tenant
#[utoipa::path(
    get, path = "/tenants/{tenantId}", operation_id = "tenant_get", tag = "tenants",
    extensions(("x-scope" = json!("orch:admin"))),
    params(("tenantId" = uuid::Uuid, Path, description = "The tenant's id")),
    responses(
        (status = 200, description = "The tenant", body = Tenant),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 403, description = "The token lacks the scope, or is of an ordinary tenant (SCOPE_MISSING, INSTALLATION_ONLY, TENANT_MISMATCH, TENANT_SUSPENDED)"),
        (status = 404, description = "There is no such tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(id): PathParams<TenantId>,
) -> Result<Json<Tenant>, Problem> {
    installation(&caller)?;
    let tx = state.store().read(&caller).await?;
    let record = tx.tenant_find(id).await?;
    tx.commit().await?;
    let record = record.ok_or_else(|| Problem::not_found("tenant"))?;
    Ok(Json(Tenant::of(record)))
}
