//! `POST /sources/{sourceId}:pause`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::id::SourceId;

use super::changed::changed;
use super::view::Source;
use crate::act::Act;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// Pause a source
///
/// Once this is answered, no job that names the source is granted, and neither documents nor jobs are taken for it.
/// Jobs under way go on. Says why in `X-Stella-Operator-Reason`. Pausing a paused source changes nothing.
#[utoipa::path(
    post, path = "/sources/{sourceId}:pause", operation_id = "source_pause", tag = "sources",
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
        tx.source_pause(id, act.reason().unwrap_or_default())
            .await?;
        changed(&tx, standing).await
    })
    .await
}
