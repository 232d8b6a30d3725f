//! `POST /bulk-actions/{bulkActionId}:cancel`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::id::BulkId;
use jobengine_store::StoreError;

use super::view::BulkAction;
use crate::act::{Act, Done};
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// Stop a bulk action
///
/// What was done stays done; nothing more is. One that has ended stays as it is.
#[utoipa::path(
    post, path = "/bulk-actions/{bulkActionId}:cancel", operation_id = "bulk_action_cancel", tag = "bulk",
    extensions(("x-scope" = json!("orch:operate")), ("x-effect" = json!("audited"))),
    params(("bulkActionId" = uuid::Uuid, Path, description = "The bulk action's id")),
    responses(
        (status = 200, description = "The bulk action as it is now", body = BulkAction),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such bulk action of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    PathParams(id): PathParams<BulkId>,
) -> Result<Response, Problem> {
    act.perform(&state, async |tx| {
        if tx.bulk_find(id).await?.is_none() {
            return Err(Problem::not_found("bulk action").into());
        }
        tx.bulk_cancel(id).await?;
        let record = tx.bulk_find(id).await?;
        let record = record.ok_or(StoreError::Stale("the bulk action"))?;
        Ok(Done::ok(BulkAction::of(record)).of("bulk_action", id))
    })
    .await
}
