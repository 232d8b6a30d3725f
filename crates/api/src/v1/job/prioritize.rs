//! `POST /jobs/{jobId}:prioritize`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::digest::Digest;
use jobengine_domain::id::JobId;
use jobengine_domain::priority::Priority;
use jobengine_store::Wish;
use serde::Deserialize;
use utoipa::ToSchema;

use super::retry::JobMoved;
use crate::act::{Act, Done};
use crate::json::JsonBody;
use crate::params::PathParams;
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// Another band for a job
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Prioritize {
    /// `low`, `normal`, `high` or `emergency`.
    #[schema(value_type = String, pattern = "^(low|normal|high|emergency)$")]
    priority: Priority,
}

/// Prioritize a job
///
/// Gives a job that has not ended another band. The time it has waited stays to its credit; a job under way
/// goes by the new band when it is tried again.
#[utoipa::path(
    post, path = "/jobs/{jobId}:prioritize", operation_id = "job_prioritize", tag = "jobs",
    extensions(("x-scope" = json!("orch:operate")), ("x-effect" = json!("audited"))),
    params(("jobId" = uuid::Uuid, Path, description = "The job's id")),
    request_body = Prioritize,
    responses(
        (status = 200, description = "It has the band", body = JobMoved),
        (status = 400, description = "The id or the body cannot be read (PARAMETER_INVALID, JSON_MALFORMED)"),
        (status = 404, description = "No such job of this tenant (NOT_FOUND)"),
        (status = 409, description = "It has ended (CONFLICT)"),
        (status = 413, description = "More than 256 KiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Not application/json (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "A field is not valid (REQUEST_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    PathParams(id): PathParams<JobId>,
    JsonBody(request): JsonBody<Prioritize>,
) -> Result<Response, Problem> {
    act.perform(&state, async |tx| {
        let before = tx.job_find(id).await?;
        let before = before.ok_or_else(|| Problem::not_found("job"))?;
        match tx.job_prioritize(id, request.priority).await? {
            None => Err(Problem::not_found("job").into()),
            Some(Wish::Refused(ended)) => {
                let detail = format!("it is {ended} and stays so; replay it instead");
                Err(Problem::new(Code::Conflict, detail).into())
            }
            Some(Wish::Done(now)) => Ok(Done::ok(JobMoved::new(id, now))
                .of("job", id)
                .before(Digest::of(before.priority.as_str().as_bytes()))
                .after(Digest::of(request.priority.as_str().as_bytes()))),
        }
    })
    .await
}
