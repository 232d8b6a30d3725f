//! `GET /images/{digest}`: one image, with the number of its findings.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use jobengine_domain::digest::Digest;
use utoipa_axum::routes;

use super::Image;
use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::route::Routes;
use crate::state::AppState;

pub(super) fn routes() -> Routes {
    Routes::new().add(routes!(image_get))
}

/// Read an image
#[utoipa::path(
    get, path = "/images/{digest}", operation_id = "image_get", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.read"))),
    params(("digest" = String, Path, description = "Digest of its manifest", example = "sha256:2222222222222222222222222222222222222222222222222222222222222222")),
    responses(
        (status = 200, description = "The image", body = Image),
        (status = 400, description = "Not a digest (PARAMETER_INVALID)"),
        (status = 404, description = "The tenant has no such image (NOT_FOUND)"),
    )
)]
async fn image_get(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(digest): PathParams<Digest>,
) -> Result<Json<Image>, Problem> {
    let tx = state.store().read(&caller).await?;
    let Some(record) = tx.image_find(digest).await? else {
        tx.commit().await?;
        return Err(Problem::not_found("image"));
    };
    let mut findings = None;
    if let Some(sbom) = record.evaluated_sbom {
        let packages = tx.sbom_packages(&BTreeSet::from([sbom])).await?;
        let sets = tx.findings_get(&packages).await?;
        let own = sets
            .sets()
            .filter(|(.., images)| images.contains(record.number));
        findings = Some(own.count() as u64);
    }
    tx.commit().await?;
    Ok(Json(Image {
        findings,
        ..Image::of(record)
    }))
}
