//! `GET /vex/{id}`

use axum::Json;
use axum::extract::State;
use jobengine_impact::vex::Statement;
use jobengine_store::VexFilter;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::list::VexDocument;
use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::route::Routes;
use crate::state::AppState;

/// Documents of one id that are shown.
const RECORDS_MAX: u32 = 100;

pub(super) fn routes() -> Routes {
    Routes::new().add(routes!(vex_get))
}

/// The VEX documents of one id.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct VexWhole {
    /// Its `@id`; where it has none, the digest of its bytes.
    document: String,
    /// What stands under it, by source and location; the first 100, all are in `GET /vex?document=…`.
    records: Vec<VexRecord>,
}

/// What one document says.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct VexRecord {
    #[serde(flatten)]
    entry: VexDocument,
    /// Its statements: flaws, products, status, justification and time.
    #[schema(value_type = Vec<Object>)]
    statements: Vec<Statement>,
}

/// Read a VEX document
///
/// With its statements. Several may stand under one `@id`: of several sources, or at several locations of one. An id that
/// holds slashes comes percent-encoded.
#[utoipa::path(
    get, path = "/vex/{id}", operation_id = "vex_get", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.read"))),
    params(("id" = String, Path, description = "The document's id", example = "https:%2F%2Fexample.org%2Fvex%2F1")),
    responses(
        (status = 200, description = "The document", body = VexWhole),
        (status = 404, description = "No document stands under this id (NOT_FOUND)"),
    )
)]
async fn vex_get(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(id): PathParams<String>,
) -> Result<Json<VexWhole>, Problem> {
    let filter = VexFilter {
        source: None,
        document: Some(id.clone()),
    };
    let tx = state.store().read(&caller).await?;
    let entries = tx.vex_page(&filter, None, RECORDS_MAX).await?;
    let mut records = Vec::with_capacity(entries.len());
    for entry in entries {
        let statements = tx.vex_get(&[entry.record.digest]).await?;
        records.push(VexRecord {
            entry: VexDocument::of(entry),
            statements,
        });
    }
    tx.commit().await?;
    if records.is_empty() {
        return Err(Problem::not_found("VEX document"));
    }
    Ok(Json(VexWhole {
        document: id,
        records,
    }))
}
