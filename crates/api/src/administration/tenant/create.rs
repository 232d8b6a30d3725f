//! `POST /tenants`

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::installation;
use super::view::{Tenant, check};
use crate::act::{Act, Done};
use crate::json::{JSON_MAX_BYTES, JsonBody};
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// A new tenant
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateTenant {
    /// What people call it.
    #[schema(min_length = 1, max_length = 200, example = "acme")]
    name: String,
    /// Its share among tenants when there is more work than workers; 1 unless said otherwise.
    #[schema(minimum = 1, maximum = 1000)]
    weight: Option<u32>,
}

/// Create a tenant
#[utoipa::path(
    post, path = "/tenants", operation_id = "tenant_create", tag = "tenants",
    extensions(("x-scope" = json!("orch:admin")), ("x-effect" = json!("audited"))),
    request_body = CreateTenant,
    responses(
        (status = 201, description = "The tenant is there", body = Tenant),
        (status = 400, description = "The body is not JSON as we take it (JSON_MALFORMED)"),
        (status = 403, description = "The token lacks the scope, or is of an ordinary tenant (SCOPE_MISSING, INSTALLATION_ONLY, TENANT_MISMATCH, TENANT_SUSPENDED)"),
        (status = 409, description = "Another tenant has this name (NAME_TAKEN)"),
        (status = 413, description = "More than 256 KiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Not application/json (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "A field is not valid (REQUEST_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    JsonBody(request): JsonBody<CreateTenant, JSON_MAX_BYTES>,
) -> Result<Response, Problem> {
    installation(act.caller())?;
    check(Some(&request.name), request.weight)?;
    act.perform(&state, async |tx| {
        let made = tx.tenant_add(&request.name, request.weight.unwrap_or(1));
        let Some(record) = made.await? else {
            return Err(taken(&request.name).into());
        };
        let id = record.id;
        Ok(Done::created(Tenant::of(record)).of("tenant", id))
    })
    .await
}

/// Another tenant has the name.
pub(super) fn taken(name: &str) -> Problem {
    Problem::new(Code::NameTaken, format!("there is a tenant called {name}"))
}
