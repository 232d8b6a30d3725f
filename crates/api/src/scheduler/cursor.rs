//! `GET /cursors`: how far the readers of the change streams have come.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::identity::Caller;
use crate::problem::Problem;
use crate::route::Routes;
use crate::state::AppState;

/// The reader that turns changes into runs.
const PLANNER: &str = "planner";

pub(super) fn routes() -> Routes {
    Routes::new().add(routes!(cursor_list))
}

/// How far a reader has come.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Cursor {
    /// The reader: `planner`.
    stream: &'static str,
    /// Changes that it has not seen.
    pending: u64,
    /// For how long the oldest of them has waited, in milliseconds; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest_pending_ms: Option<u64>,
}

/// The readers of the change streams.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Cursors {
    /// Every reader.
    items: Vec<Cursor>,
    /// Always `null`: there are few.
    continuation_token: Option<String>,
}

/// List the cursors
///
/// A number that stays up, or an age that grows, says that changes wait and nobody plans.
#[utoipa::path(
    get, path = "/cursors", operation_id = "cursor_list", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.read"))),
    responses((status = 200, description = "Every reader", body = Cursors))
)]
async fn cursor_list(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Json<Cursors>, Problem> {
    let tx = state.store().read(&caller).await?;
    let now = tx.now();
    let (pending, oldest) = tx.changes_pending(PLANNER).await?;
    tx.commit().await?;
    let cursor = Cursor {
        stream: PLANNER,
        pending,
        oldest_pending_ms: oldest.map(|oldest| now.ms_since(oldest)),
    };
    Ok(Json(Cursors {
        items: vec![cursor],
        continuation_token: None,
    }))
}
