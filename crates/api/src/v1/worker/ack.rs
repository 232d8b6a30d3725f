//! `POST /worker/ack`

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::held::{HeldLease, LeaseWords, Words};
use crate::check::Checks;
use crate::identity::Caller;
use crate::json::JsonBody;
use crate::problem::Problem;
use crate::state::AppState;

/// A worker has begun
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AckJobs {
    /// The leases of the jobs that it begins.
    #[schema(min_items = 1, max_items = 500)]
    leases: Vec<HeldLease>,
}

/// Say that jobs have begun
///
/// Between its grant and its beginning a job waits inside the worker; this tells the two apart. It may be
/// said again and changes nothing then.
#[utoipa::path(
    post, path = "/worker/ack", operation_id = "worker_ack", tag = "workers",
    extensions(("x-scope" = json!("orch:worker")), ("x-effect" = json!("granted"))),
    request_body = AckJobs,
    responses(
        (status = 200, description = "Which of them are held", body = LeaseWords),
        (status = 400, description = "The body is not JSON as we take it (JSON_MALFORMED)"),
        (status = 409, description = "The lease of the only one was lost (LEASE_LOST)"),
        (status = 413, description = "More than 256 KiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Not application/json (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "A field is not valid (REQUEST_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    JsonBody(request): JsonBody<AckJobs>,
) -> Result<Json<LeaseWords>, Problem> {
    let mut checks = Checks::default();
    checks.count("leases", request.leases.len(), super::held::LEASES_MAX);
    checks.end()?;
    let asked: Vec<_> = request.leases.iter().map(HeldLease::parts).collect();
    let held = state
        .store()
        .retrying(async || {
            let tx = state.store().begin(&caller).await?;
            let held = tx.leases_held(&asked).await?;
            let begun: Vec<_> = held.iter().copied().flatten().collect();
            tx.leases_begin(&begun).await?;
            tx.commit().await?;
            Ok(held)
        })
        .await?;
    Words::of(&asked, &held).answer(&state, "worker_ack")
}
