//! `DELETE /api-keys/{keyId}`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::id::ApiKeyId;

use crate::act::{Act, Done};
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// End an API key
///
/// It is refused in every process within five seconds, for good. It stays in the list.
#[utoipa::path(
    delete, path = "/api-keys/{keyId}", operation_id = "api_key_delete", tag = "keys",
    extensions(("x-scope" = json!("orch:admin")), ("x-effect" = json!("audited"))),
    params(("keyId" = uuid::Uuid, Path, description = "The key's id")),
    responses(
        (status = 204, description = "Ended, now or before"),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such key of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    PathParams(id): PathParams<ApiKeyId>,
) -> Result<Response, Problem> {
    let answer = act
        .perform(&state, async |tx| {
            if tx.api_key_find(id).await?.is_none() {
                return Err(Problem::not_found("API key").into());
            }
            tx.api_key_revoke(id).await?;
            Ok(Done::no_content().of("api_key", id))
        })
        .await?;
    state.identity().key_changed(act.caller().tenant, id);
    Ok(answer)
}
