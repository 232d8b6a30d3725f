//! `DELETE /sources/{sourceId}`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::id::SourceId;
use jobengine_store::StoreError;

use super::view::Source;
use crate::act::{Act, Done};
use crate::params::PathParams;
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// Delete a source
///
/// One that nothing which stands came from, and that is not paused. An empty snapshot of advisories takes back what came from it.
#[utoipa::path(
    delete, path = "/sources/{sourceId}", operation_id = "source_delete", tag = "sources",
    extensions(("x-scope" = json!("orch:operate")), ("x-effect" = json!("audited"))),
    params(("sourceId" = uuid::Uuid, Path, description = "The source's id")),
    responses(
        (status = 204, description = "The source is gone"),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such source of this tenant (NOT_FOUND)"),
        (status = 409, description = "Something came from it, or jobs of it are held (SOURCE_IN_USE)"),
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
        let in_use = |detail: &str| Err(Problem::new(Code::SourceInUse, detail).into());
        if standing.paused.is_some() {
            return in_use("it is paused; let it go on first");
        }
        if tx.source_used(id).await? {
            return in_use("advisories or VEX documents that stand came from it");
        }
        match tx.source_delete(id, standing.version).await {
            Err(StoreError::Stale(_)) => {
                return in_use(
                    "it just changed, or jobs that it held are being released; try again",
                );
            }
            done => done?,
        }
        let before = Source::of(standing).digest();
        Ok(Done::no_content().of("source", id).before(before))
    })
    .await
}
