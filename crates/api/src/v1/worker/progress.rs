//! `POST /worker/progress`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::JobId;
use jobengine_store::{LeaseToken, Progress};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::held::{LEASES_MAX, LeaseWords, Words};
use crate::check::Checks;
use crate::identity::Caller;
use crate::json::JsonBody;
use crate::problem::Problem;
use crate::state::AppState;

/// Longest note about a job's progress.
pub(super) const NOTE_MAX: usize = 200;

/// How far jobs are
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ReportProgress {
    /// One for each job of which there is news; the last one of a job counts.
    #[schema(min_items = 1, max_items = 500)]
    reports: Vec<ProgressReport>,
}

/// How far a job is
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProgressReport {
    /// The job.
    #[serde(deserialize_with = "jobengine_domain::id::deserialize")]
    job_id: Uuid,
    /// Proof of holding its lease.
    #[serde(deserialize_with = "jobengine_domain::id::deserialize")]
    lease_token: Uuid,
    /// 0 to 1000.
    #[schema(maximum = 1000)]
    permille: u16,
    /// In a few words.
    #[schema(min_length = 1, max_length = 200)]
    note: Option<String>,
}

/// Say how far jobs are
///
/// Shown with the job while the attempt is under way, and forgotten with it. A crash of the database may
/// lose the last second of it: a worker says it again, or sends it with its heartbeat.
#[utoipa::path(
    post, path = "/worker/progress", operation_id = "worker_progress", tag = "workers",
    extensions(("x-scope" = json!("orch:worker")), ("x-effect" = json!("granted"))),
    request_body = ReportProgress,
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
    JsonBody(request): JsonBody<ReportProgress>,
) -> Result<Json<LeaseWords>, Problem> {
    request.check()?;
    let reports = &request.reports;
    let asked: Vec<_> = reports
        .iter()
        .map(|it| (JobId(it.job_id), LeaseToken::from_uuid(it.lease_token)))
        .collect();
    let held = state
        .store()
        .retrying(async || {
            let tx = state.store().begin(&caller).await?;
            tx.lose_on_crash().await?;
            let held = tx.leases_held(&asked).await?;
            let words: Vec<Progress> = held
                .iter()
                .zip(reports)
                .filter_map(|(lease, it)| {
                    Some(Progress {
                        lease: (*lease)?,
                        permille: it.permille,
                        note: it.note.clone(),
                    })
                })
                .collect();
            tx.leases_progress(&words).await?;
            tx.commit().await?;
            Ok(held)
        })
        .await?;
    Words::of(&asked, &held).answer(&state, "worker_progress")
}

impl ReportProgress {
    fn check(&self) -> Result<(), Problem> {
        let mut checks = Checks::default();
        checks.count("reports", self.reports.len(), LEASES_MAX);
        for (at, report) in self.reports.iter().enumerate() {
            checks.hold(
                report.permille <= 1_000,
                || format!("reports[{at}].permille"),
                "RANGE",
                "0 to 1000",
            );
            if let Some(note) = &report.note {
                checks.text(|| format!("reports[{at}].note"), note, NOTE_MAX);
            }
        }
        checks.end()
    }
}
