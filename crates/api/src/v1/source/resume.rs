//! `POST /sources/{sourceId}:resume`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::id::SourceId;

use super::changed::changed;
use super::view::Source;
use crate::act::Act;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// Let a source go on
///
/// Documents and jobs are taken for it again; what was queued is released in its old order, within seconds.
/// Says why in `X-Stella-Operator-Reason`. A source that is not paused stays as it is.
#[utoipa::path(
    post, path = "/sources/{sourceId}:resume", operation_id = "source_resume", tag = "sources",
    extensions(("x-scope" = json!("orch:operate")), ("x-effect" = json!("audited")), ("x-reason" = json!(true))),
    params(("sourceId" = uuid::Uuid, Path, description = "The source's id")),
    responses(
        (status = 200, description = "The source as it is now", body = Source),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such source of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    PathParams(id): PathParams<SourceId>,
) -> Result<Response, Problem> {
    act.caller().require_whole_tenant()?;
    act.perform(&state, async |tx| {
        let Some(standing) = tx.source_get(id).await? else {
            return Err(Problem::not_found("source").into());
        };
        tx.source_resume(id).await?;
        changed(&tx, standing).await
    })
    .await
}
