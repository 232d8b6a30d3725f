//! `GET /audit/export`

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::lines::Lines;
use super::range::RangeQuery;
use crate::identity::Caller;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::state::AppState;

/// Export the audit trail
///
/// As JSON Lines: a header, then the sealed rows in order, and after each batch its signed checkpoint.
/// `jobengine audit verify` checks it offline with the public key. The same part gives the same bytes. An export that
/// fails on the way ends without its last line; the verifier sees that.
#[utoipa::path(
    get, path = "/audit/export", operation_id = "audit_export", tag = "audit",
    extensions(("x-scope" = json!("orch:export"))),
    params(RangeQuery),
    responses(
        (status = 200, description = "The export", body = serde_json::Value, content_type = "application/jsonl"),
        (status = 400, description = "No checkpoint has that size (PARAMETER_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<RangeQuery>,
) -> Result<Response, Problem> {
    caller.require_whole_tenant()?;
    let tx = state.store().read(&caller).await?;
    let range = query.find(&tx).await?;
    tx.commit().await?;
    let lines = Lines::new(state.store().clone(), caller, range);
    let body = stream::try_unfold(lines, |mut lines| async {
        let next = lines.next().await;
        next.inspect_err(|error| tracing::warn!(%error, at = lines.at(), "an export of the audit trail ended early"))
            .map(|bytes| bytes.map(|bytes| (bytes, lines)))
    });
    Ok((
        [(CONTENT_TYPE, "application/jsonl")],
        Body::from_stream(body),
    )
        .into_response())
}
