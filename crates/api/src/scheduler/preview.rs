//! `POST /impact/preview`: what a change of advisories would hit, without planning anything.

use axum::Json;
use axum::extract::State;
use jobengine_domain::digest::Digest;
use jobengine_impact::advisory::Advisory;
use jobengine_impact::delta::AdvisoryDelta;
use jobengine_impact::impact::impact;
use jobengine_impact::kev::KevCatalogue;
use jobengine_impact::package::PackageKey;
use jobengine_store::TenantIndex;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::INTAKE_MAX;
use super::name::SourceName;
use super::records::{self, UPLOAD_MAX_BYTES};
use super::upload::Upload;
use crate::heavy::heavy;
use crate::identity::Caller;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::route::Routes;
use crate::state::AppState;

/// Images that are named in the answer.
const IMAGES_MAX: usize = 1_000;

pub(super) fn routes() -> Routes {
    Routes::new().add_within(INTAKE_MAX, routes!(impact_preview))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Origin {
    /// The source whose advisories would change. Without one, or with one that nothing came from yet, all
    /// records count as new.
    #[param(value_type = Option<String>, max_length = 200, example = "osv-npm")]
    source: Option<SourceName>,
}

/// What a change would hit.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ImpactPreview {
    /// Packages that some image has in a version that is hit, sorted.
    packages: Vec<PackageImpact>,
    /// Images that would be evaluated.
    images_impacted: u64,
    /// Images in the fleet.
    images_total: u64,
    /// Digests of those images, sorted; the first thousand.
    #[schema(value_type = Vec<String>)]
    images: Vec<Digest>,
}

/// How far a change reaches through one package.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PackageImpact {
    /// The package.
    #[schema(value_type = String, example = "npm/left-pad")]
    package: PackageKey,
    /// Images that have it in a version that is hit.
    images: u64,
}

/// Preview an impact
///
/// Which images a change of advisories would have evaluated. The body holds the advisories as they would be,
/// in any form that `POST /advisories` takes; they are compared with those that stand under the same ids.
/// Nothing is stored and nothing is planned. VEX statements are not asked: an image whose finding a statement
/// takes away is evaluated all the same.
#[utoipa::path(
    post, path = "/impact/preview", operation_id = "impact_preview", tag = "scheduler",
    extensions(("x-scope" = json!("policy:simulate")), ("x-effect" = json!("none"))),
    params(Origin),
    request_body(content = Object, content_type = "application/json", description = "OSV records; `Content-Encoding` may be `zstd` or `gzip`"),
    responses(
        (status = 200, description = "What would be hit", body = ImpactPreview),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID)"),
        (status = 408, description = "The body did not come in time (REQUEST_TIMEOUT)"),
        (status = 415, description = "Another content encoding (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "A record cannot be taken: its code (ADVISORY_…, DOCUMENT_…, COMPRESSION_…) and in `errors` the places of all bad ones. A preview without them would promise too little"),
    )
)]
async fn impact_preview(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(Origin { source }): QueryParams<Origin>,
    Upload(document): Upload<UPLOAD_MAX_BYTES>,
) -> Result<Json<ImpactPreview>, Problem> {
    let after = heavy(move || records::read(&document)).await??.whole()?;
    let store = state.store();
    let tx = store.read(&caller).await?;
    let known = match &source {
        Some(source) => tx.source_find(source.as_str()).await?,
        None => None,
    };
    let before = match known {
        Some(source) => {
            let ids: Vec<&str> = after.iter().map(|advisory| advisory.id.as_str()).collect();
            tx.advisories_seen(source, &ids).await?
        }
        None => Vec::new(),
    };
    let kev = tx.kev_get(tx.kev_digest().await?).await?;
    tx.commit().await?;
    let index = state.scheduler().indexes.current(store, &caller).await?;
    let index = index.read_owned().await;
    let preview = heavy(move || preview(&index, &before, &after, &kev)).await?;
    Ok(Json(preview))
}

fn preview(
    index: &TenantIndex,
    before: &[Advisory],
    after: &[Advisory],
    kev: &KevCatalogue,
) -> ImpactPreview {
    let delta = AdvisoryDelta::between(before, kev, after, kev);
    let impact = impact(&index.index, &delta);
    let packages = impact.by_package.into_iter();
    let images = index.digests_of(impact.images.iter());
    ImpactPreview {
        packages: packages
            .map(|(package, images)| PackageImpact { package, images })
            .collect(),
        images_impacted: impact.images.cardinality(),
        images_total: index.index.images().cardinality(),
        images: images.into_iter().take(IMAGES_MAX).collect(),
    }
}
