//! `PATCH /tenants/{tenantId}`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::id::TenantId;
use jobengine_store::{TenantChange, TenantChanged};
use serde::Deserialize;
use utoipa::ToSchema;

use super::create::taken;
use super::installation;
use super::view::{Tenant, TenantState, check};
use crate::act::{Act, Done};
use crate::json::{JSON_MAX_BYTES, JsonBody};
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// What is to become of a tenant. What is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateTenant {
    /// What people call it.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// Its share among tenants: of jobs that are submitted from now on.
    #[schema(minimum = 1, maximum = 1000)]
    weight: Option<u32>,
    /// Whether it goes on. Suspended, none of its jobs is granted from the answer on, and its tokens are refused
    /// within seconds.
    state: Option<TenantState>,
}

/// Change a tenant
///
/// Says why in `X-Stella-Operator-Reason`. The installation's own tenant cannot be suspended.
#[utoipa::path(
    patch, path = "/tenants/{tenantId}", operation_id = "tenant_update", tag = "tenants",
    extensions(("x-scope" = json!("orch:admin")), ("x-effect" = json!("audited")), ("x-reason" = json!(true))),
    params(("tenantId" = uuid::Uuid, Path, description = "The tenant's id")),
    request_body = UpdateTenant,
    responses(
        (status = 200, description = "The tenant as it is now", body = Tenant),
        (status = 400, description = "The id or the body cannot be read (PARAMETER_INVALID, JSON_MALFORMED)"),
        (status = 403, description = "The token lacks the scope, or is of an ordinary tenant (SCOPE_MISSING, INSTALLATION_ONLY, TENANT_MISMATCH, TENANT_SUSPENDED)"),
        (status = 404, description = "There is no such tenant (NOT_FOUND)"),
        (status = 409, description = "Another tenant has this name (NAME_TAKEN)"),
        (status = 413, description = "More than 256 KiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Not application/json (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "A field is not valid (REQUEST_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    PathParams(id): PathParams<TenantId>,
    JsonBody(request): JsonBody<UpdateTenant, JSON_MAX_BYTES>,
) -> Result<Response, Problem> {
    installation(act.caller())?;
    check(request.name.as_deref(), request.weight)?;
    let suspended = request.state.map(|state| state == TenantState::Suspended);
    if id == TenantId::INSTALLATION && suspended == Some(true) {
        let detail = "the installation's own tenant cannot be suspended";
        return Err(Problem::field("state", "VALUE", detail));
    }
    let change = TenantChange {
        name: request.name,
        weight: request.weight,
        suspended,
    };
    let response = act
        .perform(&state, async |tx| {
            match tx.tenant_change(id, &change).await? {
                TenantChanged::Done(before, after) => {
                    let before = Tenant::of(before).digest();
                    let done = Done::ok(Tenant::of(after)).of("tenant", id);
                    Ok(done.before(before))
                }
                TenantChanged::Unknown => Err(Problem::not_found("tenant").into()),
                TenantChanged::NameTaken => {
                    Err(taken(change.name.as_deref().unwrap_or_default()).into())
                }
            }
        })
        .await?;
    if let Some(suspended) = suspended {
        state.suspended().set(id, suspended);
    }
    Ok(response)
}
