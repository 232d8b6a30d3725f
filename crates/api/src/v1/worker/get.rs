//! `GET /workers/{sessionId}`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::SessionId;
use jobengine_store::{SessionDetail, SessionLease};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;
use crate::v1::job::UnderWayView;

/// A worker, looked at closely
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct WorkerDetail {
    /// The session, drawn by the worker.
    session_id: Uuid,
    /// What the worker calls itself.
    worker: String,
    /// The principal that opened the session.
    subject: String,
    /// When it was opened.
    #[schema(format = DateTime)]
    created_at: String,
    /// Its last heartbeat; null before the first.
    #[schema(value_type = Option<String>, format = DateTime)]
    heard_at: Option<String>,
    /// It is held to be gone then, unless it is heard of.
    #[schema(format = DateTime)]
    lease_until: String,
    /// How many jobs it holds.
    leases: u64,
    /// How many it does at once; null when it does not say.
    slots: Option<u32>,
    /// Those jobs, up to 500.
    jobs: Vec<WorkerJob>,
}

/// A job that a worker holds
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WorkerJob {
    /// The job.
    job_id: Uuid,
    /// Its type.
    r#type: String,
    /// When it was granted.
    #[schema(format = DateTime)]
    granted_at: String,
    /// What the worker tells of it.
    under_way: UnderWayView,
}

/// Read a worker
#[utoipa::path(
    get, path = "/workers/{sessionId}", operation_id = "worker_get", tag = "workers",
    extensions(("x-scope" = json!("orch:read"))),
    params(("sessionId" = uuid::Uuid, Path, description = "The worker's session")),
    responses(
        (status = 200, description = "The worker", body = WorkerDetail),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such worker of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(id): PathParams<SessionId>,
) -> Result<Json<WorkerDetail>, Problem> {
    let tx = state.store().read(&caller).await?;
    let found = tx.session_find(id).await?;
    tx.commit().await?;
    let (worker, jobs) = found.ok_or_else(|| Problem::not_found("worker"))?;
    Ok(Json(WorkerDetail::new(worker, jobs)))
}

impl WorkerDetail {
    fn new(worker: SessionDetail, jobs: Vec<SessionLease>) -> Self {
        let session = worker.session;
        let job = |lease: SessionLease| WorkerJob {
            job_id: lease.job.0,
            r#type: lease.job_type,
            granted_at: lease.granted_at.to_string(),
            under_way: lease.under_way.into(),
        };
        Self {
            session_id: session.id.0,
            worker: session.worker,
            subject: worker.subject,
            created_at: worker.created_at.to_string(),
            heard_at: worker.heard_at.map(|at| at.to_string()),
            lease_until: session.lease_until.to_string(),
            leases: session.leases,
            slots: session.slots,
            jobs: jobs.into_iter().map(job).collect(),
        }
    }
}
