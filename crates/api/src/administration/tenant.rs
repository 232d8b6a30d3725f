//! Tenants: made, listed, renamed, weighed and suspended, by the installation's own tenant only.

mod create;
mod get;
mod list;
mod update;
mod view;

use jobengine_domain::id::TenantId;
use utoipa_axum::routes;

use crate::identity::Caller;
use crate::problem::{Code, Problem};
use crate::route::Routes;

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(routes!(list::handler))
        .add(routes!(create::handler))
        .add(routes!(get::handler))
        .add(routes!(update::handler))
}

/// Refuses everybody but the installation's own tenant: no tenant's administrator learns of another tenant.
fn installation(caller: &Caller) -> Result<(), Problem> {
    if caller.tenant == TenantId::INSTALLATION && caller.project.is_none() {
        return Ok(());
    }
    Err(Problem::new(
        Code::InstallationOnly,
        "tenants are administered with a token of the installation's own tenant",
    ))
}
