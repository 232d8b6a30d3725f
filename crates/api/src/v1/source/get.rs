//! `GET /sources/{sourceId}`

use axum::Json;
use axum::extract::State;
use axum::http::header::ETAG;
use axum::response::{IntoResponse, Response};
use jobengine_domain::id::SourceId;

use super::view::Source;
use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;
use crate::v1::version::etag;

/// Read a source
#[utoipa::path(
    get, path = "/sources/{sourceId}", operation_id = "source_get", tag = "sources",
    extensions(("x-scope" = json!("orch:read"))),
    params(("sourceId" = uuid::Uuid, Path, description = "The source's id")),
    responses(
        (status = 200, description = "The source; its version stands in `ETag`", body = Source),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such source of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(id): PathParams<SourceId>,
) -> Result<Response, Problem> {
    let tx = state.store().read(&caller).await?;
    let record = tx.source_get(id).await?;
    tx.commit().await?;
    let record = record.ok_or_else(|| Problem::not_found("source"))?;
    let tag = [(ETAG, etag(record.version))];
    Ok((tag, Json(Source::of(record))).into_response())
}
