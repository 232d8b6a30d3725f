//! `POST /sboms`: an image's inventory comes in.

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::digest::Digest;
use jobengine_impact::document::{DocumentCode, DocumentError};
use jobengine_impact::sbom::{self, SBOM_MAX_BYTES, Sbom};
use jobengine_store::ImageNames;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::act::{Act, Done};
use crate::heavy::heavy;
use crate::params::QueryParams;
use crate::problem::{Code, Problem};
use crate::route::Routes;
use crate::scheduler::INTAKE_MAX;
use crate::scheduler::bounds::PACKAGE_MAX_BYTES;
use crate::scheduler::name::Name;
use crate::scheduler::upload::Upload;
use crate::state::AppState;

pub(super) fn routes() -> Routes {
    Routes::new().add_within(INTAKE_MAX, routes!(sbom_put))
}

/// What is said of the image beside its SBOM. What is left out stays as it was.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Subject {
    /// Digest of the image's manifest; needed where the document does not name it, and counts where it
    /// names another one.
    #[param(value_type = Option<String>, example = "sha256:2222222222222222222222222222222222222222222222222222222222222222")]
    image: Option<Digest>,
    /// Where the image is pushed to.
    #[param(value_type = Option<String>, max_length = 500, example = "docker.io/library/redis")]
    repository: Option<Name<500>>,
    /// One more tag of it there.
    #[param(value_type = Option<String>, max_length = 128, example = "7.2")]
    tag: Option<Name<128>>,
    /// The namespace it runs in.
    #[param(value_type = Option<String>, max_length = 253)]
    namespace: Option<Name<253>>,
    /// Whether the components are what the image's entry point uses.
    used_by_entrypoint: Option<bool>,
}

/// What became of an SBOM.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SbomStored {
    /// The image.
    #[schema(value_type = String)]
    image_digest: Digest,
    /// The document, unpacked.
    #[schema(value_type = String)]
    sbom_digest: Digest,
    /// Format and version.
    #[schema(example = "CycloneDX-1.5")]
    format: String,
    /// Distinct components with a purl.
    components: usize,
    /// Components that cannot be judged: no version order is known for their kind, or no version is named.
    unmatched: usize,
    /// Whether the image is new, or its SBOM or what is said of it is.
    changed: bool,
}

/// Bring in an SBOM
///
/// CycloneDX JSON 1.2 to 1.6 or SPDX JSON 2.2 and 2.3, at most 32 MiB, packed or not. From now on the
/// image consists of what it lists; the planner evaluates the image when that differs from before. The same
/// document may be sent again: nothing changes.
#[utoipa::path(
    post, path = "/sboms", operation_id = "sbom_put", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.write")), ("x-effect" = json!("audited"))),
    params(Subject),
    request_body(content = Object, content_type = "application/json", description = "The SBOM; `Content-Encoding` may be `zstd` or `gzip`"),
    responses(
        (status = 201, description = "The SBOM is stored", body = SbomStored),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID)"),
        (status = 408, description = "The body did not come in time (REQUEST_TIMEOUT)"),
        (status = 415, description = "Another content encoding (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "The document cannot be taken, nothing of it is stored: its own code (SBOM_FORMAT_UNKNOWN, SBOM_VERSION_UNSUPPORTED, SBOM_FIELD_INVALID, PURL_INVALID, DOCUMENT_…, COMPRESSION_…) and in `errors[0].field` the place; or nobody names the image (IMAGE_DIGEST_MISSING)"),
    )
)]
async fn sbom_put(
    State(state): State<AppState>,
    act: Act,
    QueryParams(subject): QueryParams<Subject>,
    Upload(document): Upload<SBOM_MAX_BYTES>,
) -> Result<Response, Problem> {
    let text = document.clone();
    let sbom = heavy(move || sbom::read(&text).and_then(kept)).await??;
    let image = subject.image.map_or_else(|| described(&sbom), Ok)?;
    let names = ImageNames {
        repository: subject.repository.map(Name::into_text),
        tag: subject.tag.map(Name::into_text),
        namespace: subject.namespace.map(Name::into_text),
        used_by_entrypoint: subject.used_by_entrypoint,
    };
    let unmatched = sbom.components.iter().filter(|part| part.identity.is_err());
    let unmatched = unmatched.count();
    act.perform(&state, async |tx| {
        let stored = tx.sbom_put(image, &names, &sbom, &document).await?;
        let answer = SbomStored {
            image_digest: image,
            sbom_digest: stored.sbom,
            unmatched,
            components: sbom.components.len(),
            format: sbom.format.clone(),
            changed: stored.changed,
        };
        Ok(Done::created(answer).of("image", image))
    })
    .await
}

/// The image as the document names it.
fn described(sbom: &Sbom) -> Result<Digest, Problem> {
    let missing = |detail: String| {
        Problem::new(Code::ImageDigestMissing, detail.clone())
            .with_error("image", "MISSING", detail)
    };
    match &sbom.image_digest {
        None => Err(missing(
            "the document names no image; send ?image=sha256:…".to_owned(),
        )),
        Some(named) => named.parse().map_err(|error| {
            missing(format!(
                "the document's image: {error}; send ?image=sha256:…"
            ))
        }),
    }
}

/// Refuses what PostgreSQL could not keep in an index.
fn kept(sbom: Sbom) -> Result<Sbom, DocumentError> {
    let too_long = |part: &&jobengine_impact::sbom::Component| {
        let package = part.identity.as_ref().ok();
        package.is_some_and(|package| package.key.to_string().len() > PACKAGE_MAX_BYTES)
    };
    match sbom.components.iter().find(too_long) {
        None => Ok(sbom),
        Some(part) => Err(DocumentError::new(
            DocumentCode::SbomFieldInvalid,
            format_args!("purl {}", part.purl),
            format_args!("the package's name has more than {PACKAGE_MAX_BYTES} bytes"),
        )),
    }
}
