//! `GET /bulk-actions/{bulkActionId}`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::BulkId;

use super::view::BulkAction;
use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// Read a bulk action
///
/// With its progress.
#[utoipa::path(
    get, path = "/bulk-actions/{bulkActionId}", operation_id = "bulk_action_get", tag = "bulk",
    extensions(("x-scope" = json!("orch:read"))),
    params(("bulkActionId" = uuid::Uuid, Path, description = "The bulk action's id")),
    responses(
        (status = 200, description = "The bulk action", body = BulkAction),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such bulk action of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(id): PathParams<BulkId>,
) -> Result<Json<BulkAction>, Problem> {
    let tx = state.store().read(&caller).await?;
    let record = tx.bulk_find(id).await?;
    tx.commit().await?;
    let record = record.ok_or_else(|| Problem::not_found("bulk action"))?;
    Ok(Json(BulkAction::of(record)))
}
