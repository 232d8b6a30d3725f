//! `GET /runs/{runId}/inputs`: what a run was planned from, by content.

use axum::Json;
use axum::extract::State;
use jobengine_domain::digest::Digest;
use jobengine_domain::id::RunId;
use jobengine_store::RunInput;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::identity::Caller;
use crate::page::PageQuery;
use crate::params::{PathParams, QueryParams};
use crate::problem::Problem;
use crate::route::Routes;
use crate::state::AppState;

/// The list and its order.
const BY: &str = "run-inputs";

pub(super) fn routes() -> Routes {
    Routes::new().add(routes!(impact_run_inputs))
}

/// A page of inputs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RunInputPage {
    /// Sorted by kind, source and subject.
    items: Vec<RunInputItem>,
    /// Where the next page starts; `null` on the last one.
    continuation_token: Option<String>,
}

/// A document that a run was planned from.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RunInputItem {
    /// `image`, `advisory`, `kev` or `vex`.
    kind: String,
    /// Id of the source it came from; empty where there is none.
    source: String,
    /// Image digest, advisory id, `catalogue` or id of the VEX document.
    subject: String,
    /// Digest of its content: for an image that of its SBOM.
    #[schema(value_type = String)]
    digest: Digest,
}

/// List the inputs of a run
///
/// All items together, as canonical JSON (RFC 8785), have the run's `inputsDigest`.
#[utoipa::path(
    get, path = "/runs/{runId}/inputs", operation_id = "impact_run_inputs", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.read"))),
    params(("runId" = String, Path, format = Uuid, description = "The run"), PageQuery),
    responses(
        (status = 200, description = "A page of inputs", body = RunInputPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
        (status = 404, description = "The tenant has no such impact run (NOT_FOUND)"),
    )
)]
async fn impact_run_inputs(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(run): PathParams<RunId>,
    QueryParams(query): QueryParams<PageQuery>,
) -> Result<Json<RunInputPage>, Problem> {
    let page = query.of::<(String, String, String)>(caller.pages(), BY)?;
    let after = page
        .after
        .as_ref()
        .map(|(kind, source, subject)| (kind.as_str(), source.as_str(), subject.as_str()));
    let tx = state.store().read(&caller).await?;
    let known = tx.impact_run_find(run).await?.is_some();
    let inputs = tx.run_inputs_page(run, after, page.limit).await?;
    tx.commit().await?;
    if !known {
        return Err(Problem::not_found("impact run"));
    }
    let continuation_token = page.next(&inputs, |last| {
        (last.kind.clone(), last.source.clone(), last.subject.clone())
    });
    Ok(Json(RunInputPage {
        items: inputs.into_iter().map(Into::into).collect(),
        continuation_token,
    }))
}

impl From<RunInput> for RunInputItem {
    fn from(input: RunInput) -> Self {
        Self {
            kind: input.kind,
            source: input.source,
            subject: input.subject,
            digest: input.digest,
        }
    }
}
