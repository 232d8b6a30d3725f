//! `POST /runs`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::defaults::DAG_NODES_MAX;
use jobengine_store::NewRun;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::shape::{RunJob, Shape};
use crate::act::{Act, Done};
use crate::check::Checks;
use crate::json::{BULK_MAX_BYTES, JsonBody};
use crate::problem::Problem;
use crate::state::AppState;
use crate::v1::job::Origin;

/// Longest correlation id.
const CORRELATION_MAX: usize = 128;
/// Longest name of a source.
const SOURCE_MAX: usize = 200;

/// Jobs that belong together
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CreateRun {
    /// What caused it: `manual`, the only one a client may say.
    #[schema(value_type = Option<String>, pattern = "^manual$")]
    trigger: Option<Trigger>,
    /// Follows the run through logs and events; the request's own unless said otherwise.
    #[schema(min_length = 1, max_length = 128)]
    correlation_id: Option<String>,
    /// The name of the upstream it works for, and its jobs unless they say otherwise.
    #[schema(min_length = 1, max_length = 200, example = "osv")]
    source: Option<String>,
    /// Its jobs and for whom they wait.
    #[schema(min_items = 1, max_items = 10_000)]
    jobs: Vec<RunJob>,
}

/// The other triggers belong to the system itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Trigger {
    Manual,
}

/// The run is in the ledger
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunCreated {
    /// Its id.
    run_id: Uuid,
    /// Its jobs, in the order of the request.
    jobs: Vec<RunJobCreated>,
}

/// A job of the new run
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RunJobCreated {
    /// Its name within the run.
    key: String,
    /// Its id.
    job_id: Uuid,
}

/// Create a run
///
/// Jobs that wait for each other by name; all of them or none. A job starts when its parents have
/// ended as its edges ask.
#[utoipa::path(
    post, path = "/runs", operation_id = "run_create", tag = "runs",
    extensions(("x-scope" = json!("orch:submit")), ("x-effect" = json!("audited"))),
    request_body = CreateRun,
    responses(
        (status = 201, description = "The run is in the ledger", body = RunCreated),
        (status = 400, description = "The body is not JSON as we take it (JSON_MALFORMED)"),
        (status = 413, description = "More than 4 MiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Not application/json (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "A field is not valid, or the jobs form no DAG (REQUEST_INVALID, DAG_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    JsonBody(request): JsonBody<CreateRun, BULK_MAX_BYTES>,
) -> Result<Response, Problem> {
    let mut checks = Checks::default();
    checks.count("jobs", request.jobs.len(), DAG_NODES_MAX);
    if let Some(correlation) = &request.correlation_id {
        checks.text(|| "correlationId".to_owned(), correlation, CORRELATION_MAX);
    }
    if let Some(source) = &request.source {
        checks.text(|| "source".to_owned(), source, SOURCE_MAX);
    }
    let trigger = match request.trigger {
        None | Some(Trigger::Manual) => "manual",
    };
    let origin = Origin::of(&act, request.correlation_id);
    let Shape { mut jobs, order } = Shape::of(request.jobs, checks, &origin)?;
    let source = request.source;
    for job in &mut jobs {
        job.source = job.source.take().or_else(|| source.clone());
    }
    let run = NewRun {
        trigger: trigger.to_owned(),
        project: origin.project,
        source,
        correlation_id: origin.correlation_id,
        traceparent: origin.traceparent,
    };
    act.perform(&state, async |tx| {
        let (run_id, job_ids) = tx.run_create(&run, &jobs).await?;
        let mut created: Vec<_> = order.iter().zip(jobs.iter().zip(job_ids)).collect();
        created.sort_unstable_by_key(|(at, _)| **at);
        let created = created.into_iter().map(|(_, (job, id))| RunJobCreated {
            key: job.key.clone(),
            job_id: id.0,
        });
        let created = RunCreated {
            run_id: run_id.0,
            jobs: created.collect(),
        };
        Ok(Done::created(created).of("run", run_id))
    })
    .await
}
