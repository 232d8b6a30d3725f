//! `GET /sboms`

use axum::Json;
use axum::extract::State;
use jobengine_domain::digest::Digest;
use jobengine_domain::time::Timestamp;
use jobengine_store::SbomRecord;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::identity::Caller;
use crate::page::PageQuery;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::route::Routes;
use crate::state::AppState;

/// The list and its order.
const BY: &str = "sboms";

pub(super) fn routes() -> Routes {
    Routes::new().add(routes!(sbom_list))
}

/// An SBOM.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sbom {
    /// Digest of the document as it came.
    #[schema(value_type = String, example = "sha256:3333333333333333333333333333333333333333333333333333333333333333")]
    digest: Digest,
    /// Format and version.
    #[schema(example = "CycloneDX-1.5")]
    format: String,
    /// Distinct components with a purl.
    components: u32,
    /// How many images of the fleet consist of it.
    images: u64,
    /// When it came first.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl Sbom {
    pub(super) fn of(record: SbomRecord) -> Self {
        Self {
            digest: record.digest,
            format: record.format,
            components: record.components,
            images: record.images,
            created_at: record.created_at,
        }
    }
}

/// A page of SBOMs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SbomPage {
    /// Sorted by digest.
    items: Vec<Sbom>,
    /// Where the next page starts; `null` on the last one.
    continuation_token: Option<String>,
}

/// List the SBOMs
///
/// Every document that came in once; those that no image consists of any more are kept, because runs that
/// were planned from them can be read again.
#[utoipa::path(
    get, path = "/sboms", operation_id = "sbom_list", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.read"))),
    params(PageQuery),
    responses(
        (status = 200, description = "A page of SBOMs", body = SbomPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
async fn sbom_list(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<PageQuery>,
) -> Result<Json<SbomPage>, Problem> {
    let page = query.of::<Digest>(caller.pages(), BY)?;
    let tx = state.store().read(&caller).await?;
    let records = tx.sbom_list(page.after, page.limit).await?;
    tx.commit().await?;
    let continuation_token = page.next(&records, |last| last.digest);
    Ok(Json(SbomPage {
        items: records.into_iter().map(Sbom::of).collect(),
        continuation_token,
    }))
}
