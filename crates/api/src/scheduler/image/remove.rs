//! `DELETE /images/{digest}`: an image leaves the fleet.

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::digest::Digest;
use utoipa_axum::routes;

use crate::act::{Act, Done};
use crate::params::PathParams;
use crate::problem::Problem;
use crate::route::Routes;
use crate::state::AppState;

pub(super) fn routes() -> Routes {
    Routes::new().add(routes!(image_remove))
}

/// Remove an image
///
/// It leaves the fleet with its findings, and no later change hits it. Runs that evaluated it can still be read. It comes
/// back when an SBOM of it is brought in again.
#[utoipa::path(
    delete, path = "/images/{digest}", operation_id = "image_remove", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.write")), ("x-effect" = json!("audited"))),
    params(("digest" = String, Path, description = "Digest of its manifest", example = "sha256:2222222222222222222222222222222222222222222222222222222222222222")),
    responses(
        (status = 204, description = "The image is gone"),
        (status = 400, description = "Not a digest (PARAMETER_INVALID)"),
        (status = 404, description = "The tenant has no such image (NOT_FOUND)"),
    )
)]
async fn image_remove(
    State(state): State<AppState>,
    act: Act,
    PathParams(digest): PathParams<Digest>,
) -> Result<Response, Problem> {
    act.perform(&state, async |tx| {
        let Some(record) = tx.image_remove(digest).await? else {
            return Err(Problem::not_found("image").into());
        };
        Ok(Done::no_content().of("image", digest).before(record.sbom))
    })
    .await
}
