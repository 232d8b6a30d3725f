//! `DELETE /identity/revocations/{revocationId}`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::id::RevocationId;

use crate::act::{Act, Done};
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// Take a revocation back
///
/// Tokens that it refused and that have not expired are believed again. API keys that it ended stay
/// ended.
#[utoipa::path(
    delete, path = "/identity/revocations/{revocationId}", operation_id = "revocation_delete", tag = "identity",
    extensions(("x-scope" = json!("orch:admin")), ("x-effect" = json!("audited"))),
    params(("revocationId" = uuid::Uuid, Path, description = "The revocation's id")),
    responses(
        (status = 204, description = "Taken back"),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such revocation of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    PathParams(id): PathParams<RevocationId>,
) -> Result<Response, Problem> {
    act.caller().require_whole_tenant()?;
    let answer = act
        .perform(&state, async |tx| {
            if !tx.revocation_remove(id).await? {
                return Err(Problem::not_found("revocation").into());
            }
            Ok(Done::no_content().of("revocation", id))
        })
        .await?;
    state.identity().revoked(act.caller().tenant);
    Ok(answer)
}
