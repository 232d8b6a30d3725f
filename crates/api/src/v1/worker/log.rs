//! `POST /worker/log`

use axum::Json;
use axum::extract::State;
use jobengine_domain::defaults::LOG_LINES_MAX;
use jobengine_domain::id::JobId;
use jobengine_domain::log_line::clean;
use jobengine_store::{LeaseToken, NewLogLine};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::check::Checks;
use crate::identity::Caller;
use crate::json::{BULK_MAX_BYTES, JsonBody};
use crate::problem::Problem;
use crate::state::AppState;

/// Lines of a worker's jobs
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WriteLog {
    /// The lines in their order, of one job or of several.
    #[schema(min_items = 1, max_items = 1000)]
    lines: Vec<Line>,
}

/// A line of a job's log
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    /// The job.
    #[serde(deserialize_with = "jobengine_domain::id::deserialize")]
    job_id: Uuid,
    /// Proof of holding its lease.
    #[serde(deserialize_with = "jobengine_domain::id::deserialize")]
    lease_token: Uuid,
    /// `debug`, `info`, `warn` or `error`; `info` unless said otherwise.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^(debug|info|warn|error)$")]
    level: Level,
    /// The line. Control characters are escaped; what is longer than 8 KiB then is cut and marked.
    #[serde(rename = "line")]
    text: String,
}

/// How much a line matters.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Debug,
    #[default]
    Info,
    Warn,
    Error,
}

impl Level {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// The lines are stored
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogWritten {
    /// How many were stored.
    stored: usize,
    /// How many of them were cut.
    cut: usize,
    /// Jobs whose leases were lost: none of their lines was stored.
    lost: Vec<Uuid>,
}

/// Write to jobs' logs
///
/// Lines are kept for 14 days and read with `orch:payload`. A crash of the database may lose the last second
/// of them.
#[utoipa::path(
    post, path = "/worker/log", operation_id = "worker_log", tag = "workers",
    extensions(("x-scope" = json!("orch:worker")), ("x-effect" = json!("granted"))),
    request_body = WriteLog,
    responses(
        (status = 200, description = "The lines are stored", body = LogWritten),
        (status = 400, description = "The body is not JSON as we take it (JSON_MALFORMED)"),
        (status = 409, description = "Every lease was lost: nothing was stored (LEASE_LOST)"),
        (status = 413, description = "More than 4 MiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Not application/json (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "A field is not valid (REQUEST_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    JsonBody(request): JsonBody<WriteLog, BULK_MAX_BYTES>,
) -> Result<Json<LogWritten>, Problem> {
    let mut checks = Checks::default();
    checks.count("lines", request.lines.len(), LOG_LINES_MAX);
    checks.end()?;
    let asked: Vec<_> = request
        .lines
        .iter()
        .map(|line| (JobId(line.job_id), LeaseToken::from_uuid(line.lease_token)))
        .collect();
    let (lines, held) = state
        .store()
        .retrying(async || {
            let tx = state.store().begin(&caller).await?;
            tx.lose_on_crash().await?;
            let held = tx.leases_held(&asked).await?;
            let lines: Vec<NewLogLine> = held
                .iter()
                .zip(&request.lines)
                .filter_map(|(lease, line)| {
                    let (text, cut) = clean(&line.text);
                    Some(NewLogLine {
                        lease: (*lease)?,
                        level: line.level.as_str(),
                        line: text,
                        cut,
                    })
                })
                .collect();
            tx.log_write(&lines).await?;
            tx.commit().await?;
            Ok((lines, held))
        })
        .await?;
    let mut lost: Vec<Uuid> = asked
        .iter()
        .zip(&held)
        .filter_map(|((job, _), lease)| lease.is_none().then_some(job.0))
        .collect();
    lost.sort_unstable();
    lost.dedup();
    for _ in &lost {
        state.metrics().lease_lost("worker_log");
    }
    if lines.is_empty() {
        return Err(Problem::lease_lost());
    }
    Ok(Json(LogWritten {
        stored: lines.len(),
        cut: lines.iter().filter(|line| line.cut).count(),
        lost,
    }))
}
