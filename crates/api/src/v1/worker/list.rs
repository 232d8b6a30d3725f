//! `GET /workers`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::SessionId;
use jobengine_store::SessionRecord;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::identity::Caller;
use crate::page::PageQuery;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::state::AppState;

/// The list and its order, as its tokens name it.
const BY: &str = "session_id";

/// A worker, as its session shows it
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Worker)]
struct WorkerView {
    /// The session, drawn by the worker.
    session_id: Uuid,
    /// What the worker calls itself.
    worker: String,
    /// It is held to be gone then, unless it is heard of.
    #[schema(format = DateTime)]
    lease_until: String,
    /// How many jobs it holds.
    leases: u64,
    /// How many it does at once; null when it does not say.
    slots: Option<u32>,
}

/// A page of workers
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct WorkerPage {
    /// The workers, in the order of their sessions.
    items: Vec<WorkerView>,
    /// Where the next page starts; null on the last one.
    continuation_token: Option<String>,
}

/// List workers
///
/// Those that were heard of within the time of their lease.
#[utoipa::path(
    get, path = "/workers", operation_id = "worker_list", tag = "workers",
    extensions(("x-scope" = json!("orch:read"))),
    params(PageQuery),
    responses(
        (status = 200, description = "A page of workers", body = WorkerPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<PageQuery>,
) -> Result<Json<WorkerPage>, Problem> {
    let page = query.of::<SessionId>(caller.pages(), BY)?;
    let tx = state.store().read(&caller).await?;
    let sessions = tx.session_list(page.after, page.limit).await?;
    tx.commit().await?;
    Ok(Json(WorkerPage {
        continuation_token: page.next(&sessions, |last| last.id),
        items: sessions.into_iter().map(WorkerView::from).collect(),
    }))
}

impl From<SessionRecord> for WorkerView {
    fn from(session: SessionRecord) -> Self {
        Self {
            session_id: session.id.0,
            worker: session.worker,
            lease_until: session.lease_until.to_string(),
            leases: session.leases,
            slots: session.slots,
        }
    }
}
