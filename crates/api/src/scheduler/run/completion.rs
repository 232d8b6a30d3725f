//! `GET /runs/{runId}/completion`: the signed event of a completed run.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use jobengine_domain::id::RunId;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::route::Routes;
use crate::state::AppState;

pub(super) fn routes() -> Routes {
    Routes::new().add(routes!(impact_run_completion))
}

/// A DSSE envelope (<https://github.com/secure-systems-lab/dsse>), as it was signed. Only its shape: the text is
/// stored, and sent as it is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DsseEnvelope {
    /// `application/vnd.in-toto+json`.
    payload_type: String,
    /// An in-toto Statement of type `urn:jobengine:predicate:run-completion:v1`, in Base64.
    payload: String,
    /// Signatures over payload type and payload.
    signatures: Vec<DsseSignature>,
}

/// One signature of an envelope.
#[derive(Debug, Serialize, ToSchema)]
struct DsseSignature {
    /// Which key; `/keys` has it.
    keyid: String,
    /// Ed25519, in Base64.
    sig: String,
}

/// Read the completion event of a run
///
/// Who evaluated what from which inputs, and what changed: an in-toto Statement in a DSSE envelope, byte for
/// byte as it was signed. Its subjects are the images that were evaluated.
#[utoipa::path(
    get, path = "/runs/{runId}/completion", operation_id = "impact_run_completion", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.read"))),
    params(("runId" = String, Path, format = Uuid, description = "The run")),
    responses(
        (status = 200, description = "The envelope", body = DsseEnvelope, content_type = "application/json"),
        (status = 400, description = "Not the id of a run (PARAMETER_INVALID)"),
        (status = 404, description = "The tenant has no such impact run, or it has not completed (NOT_FOUND)"),
    )
)]
async fn impact_run_completion(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(run): PathParams<RunId>,
) -> Result<impl IntoResponse, Problem> {
    let tx = state.store().read(&caller).await?;
    let completion = tx.impact_run_completion(run).await?;
    tx.commit().await?;
    let (envelope, _) = completion.ok_or_else(|| Problem::not_found("completed impact run"))?;
    Ok(([(CONTENT_TYPE, "application/json")], envelope))
}
