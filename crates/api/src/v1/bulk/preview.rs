//! `POST /bulk-actions:preview`

use axum::Json;
use axum::extract::State;
use jobengine_domain::digest::Digest;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::plan::BulkSpec;
use crate::identity::Caller;
use crate::json::{JSON_MAX_BYTES, JsonBody};
use crate::problem::Problem;
use crate::state::AppState;

/// What a bulk action would be done to
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BulkPreview {
    /// Over the action and everything it would be done to: what the action is taken with.
    #[schema(value_type = String)]
    plan_digest: Digest,
    /// How many jobs or dead letters.
    count: usize,
    /// The first of them, by job id.
    sample: Vec<Uuid>,
}

/// Preview a bulk action
///
/// Changes nothing.
#[utoipa::path(
    post, path = "/bulk-actions:preview", operation_id = "bulk_action_preview", tag = "bulk",
    extensions(("x-scope" = json!("orch:operate")), ("x-effect" = json!("none"))),
    request_body = BulkSpec,
    responses(
        (status = 200, description = "What would be hit", body = BulkPreview),
        (status = 400, description = "The body is not JSON as we take it (JSON_MALFORMED)"),
        (status = 413, description = "More than 256 KiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Not application/json (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "A field is not valid, or more than 100,000 things pass (REQUEST_INVALID, BULK_TOO_LARGE)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    JsonBody(spec): JsonBody<BulkSpec, JSON_MAX_BYTES>,
) -> Result<Json<BulkPreview>, Problem> {
    spec.check()?;
    let tx = state.store().read(&caller).await?;
    let plan = spec.plan(&tx).await?;
    tx.commit().await?;
    Ok(Json(BulkPreview {
        plan_digest: plan.digest,
        count: plan.items.len(),
        sample: plan.sample(),
    }))
}
