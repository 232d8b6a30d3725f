//! `POST /worker/complete`

use axum::Json;
use axum::extract::State;
use jobengine_domain::defaults::COMPLETE_MAX;
use jobengine_domain::id::SessionId;
use jobengine_store::Reported;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::report::Report;
use crate::act::Act;
use crate::check::Checks;
use crate::edge::RequestIds;
use crate::flush::Complete;
use crate::json::{BULK_MAX_BYTES, JsonBody};
use crate::problem::{Code, Problem, ProblemBody};
use crate::state::AppState;

/// A worker reports how attempts ended
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CompleteJobs {
    /// The worker process.
    #[serde(deserialize_with = "jobengine_domain::id::deserialize")]
    session_id: Uuid,
    /// One for each attempt.
    #[schema(min_items = 1, max_items = 500)]
    reports: Vec<Report>,
}

/// What became of the reports
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobsCompleted {
    /// One for each report, in order.
    results: Vec<ReportResult>,
}

/// What became of one report
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ReportResult {
    /// The job.
    job_id: Uuid,
    /// Whether it counted, now or when it was first sent.
    accepted: bool,
    /// The job's state after the report that counted: `succeeded`, `queued` (it will be tried again), `failed`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    /// Why it did not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemBody>,
}

/// Report attempts
///
/// Each report counts at most once, under the lease it proves. Repeating one that was accepted
/// returns its first answer. Another report under the lease of an attempt that has ended is refused
/// (`REPORT_CONFLICT`), and so is one whose lease was lost (`LEASE_LOST`): neither changes anything, now or later.
/// When the only report of a request is refused, so is the request.
#[utoipa::path(
    post, path = "/worker/complete", operation_id = "worker_complete", tag = "workers",
    extensions(("x-scope" = json!("orch:worker")), ("x-effect" = json!("granted"))),
    request_body = CompleteJobs,
    responses(
        (status = 200, description = "What became of each report", body = JobsCompleted),
        (status = 400, description = "The body is not JSON as we take it (JSON_MALFORMED)"),
        (status = 409, description = "The lease of the only report was lost, or its attempt ended with another report (LEASE_LOST, REPORT_CONFLICT)"),
        (status = 413, description = "More than 4 MiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Not application/json (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "A field is not valid (REQUEST_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    ids: RequestIds,
    JsonBody(request): JsonBody<CompleteJobs, BULK_MAX_BYTES>,
) -> Result<Json<JobsCompleted>, Problem> {
    let mut checks = Checks::default();
    checks.count("reports", request.reports.len(), COMPLETE_MAX);
    for (at, report) in request.reports.iter().enumerate() {
        report.check(at, &mut checks);
    }
    checks.end()?;
    let jobs: Vec<Uuid> = request.reports.iter().map(|report| report.job_id).collect();
    let reports = request
        .reports
        .into_iter()
        .map(Report::into_report)
        .collect();
    let complete = Complete {
        act: Some(act.record()),
        session: SessionId(request.session_id),
        reports,
    };
    let tenant = act.caller().tenant;
    let answers = state.completes().ask(tenant, complete).await?;
    match answers.as_slice() {
        [Reported::LeaseLost] => {
            state.metrics().lease_lost("worker_complete");
            return Err(Problem::lease_lost());
        }
        [Reported::Contradicted { state }] => return Err(contradicted(state)),
        _ => {}
    }
    let results = jobs.into_iter().zip(answers).map(|(job_id, answer)| {
        match answer {
            Reported::Accepted { state: to } | Reported::Repeated { state: to } => ReportResult {
                job_id,
                accepted: true,
                state: Some(to),
                problem: None,
            },
            Reported::Contradicted { state: to } => ReportResult {
                job_id,
                accepted: false,
                problem: Some(contradicted(&to).body(&ids)),
                state: Some(to),
            },
            Reported::LeaseLost => {
                state.metrics().lease_lost("worker_complete");
                tracing::debug!(job.id = %job_id, session.id = %request.session_id, "a late report was refused");
                ReportResult {
                    job_id,
                    accepted: false,
                    state: None,
                    problem: Some(Problem::lease_lost().body(&ids)),
                }
            }
        }
    });
    Ok(Json(JobsCompleted {
        results: results.collect(),
    }))
}

/// Refuses another report on an attempt that has ended, after which the job was in a state.
fn contradicted(state: &str) -> Problem {
    let detail =
        format!("another report under this lease was accepted; the job was {state} after it");
    Problem::new(Code::ReportConflict, detail)
}
