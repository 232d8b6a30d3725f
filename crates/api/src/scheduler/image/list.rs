//! `GET /images`: the fleet, page by page.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use jobengine_domain::digest::Digest;
use jobengine_impact::package::PackageKey;
use jobengine_impact::severity::Severity;
use jobengine_store::{FindingFilter, ImageFilter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::Image;
use crate::identity::Caller;
use crate::page::page_limit;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::route::Routes;
use crate::scheduler::finding::{at_least, images_with};
use crate::scheduler::name::Name;
use crate::state::AppState;

/// The list and its order.
const BY: &str = "images";

pub(super) fn routes() -> Routes {
    Routes::new().add(routes!(image_list))
}

/// Which images, and which page of them. Filters narrow each other.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only images in this repository.
    #[param(value_type = Option<String>, max_length = 500)]
    repository: Option<Name<500>>,
    /// Only images in this namespace.
    #[param(value_type = Option<String>, max_length = 253)]
    namespace: Option<Name<253>>,
    /// Only images made of this SBOM.
    #[param(value_type = Option<String>)]
    sbom: Option<Digest>,
    /// Only images that carry this package.
    #[param(value_type = Option<String>, example = "npm/left-pad")]
    package: Option<PackageKey>,
    /// Only images with a finding at least so bad: `unknown`, `low`, `medium`, `high` or `critical`.
    #[param(value_type = Option<String>, pattern = "^(unknown|low|medium|high|critical)$")]
    severity: Option<Severity>,
    /// Only images with a finding that is known to be exploited, or with one that is not.
    kev: Option<bool>,
    /// Items on the page, 1 to 500; 100 unless said otherwise.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The token of the page before.
    continuation_token: Option<String>,
}

/// A page of images.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ImagePage {
    /// In the order in which they became known.
    items: Vec<Image>,
    /// Where the next page starts; `null` on the last one.
    continuation_token: Option<String>,
}

/// List the images
#[utoipa::path(
    get, path = "/images", operation_id = "image_list", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.read"))),
    params(Filter),
    responses(
        (status = 200, description = "A page of images", body = ImagePage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
async fn image_list(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<Filter>,
) -> Result<Json<ImagePage>, Problem> {
    let limit = page_limit(query.limit)?;
    let after: Option<u32> = caller
        .pages()
        .resume(BY, query.continuation_token.as_deref())?;
    let tx = state.store().read(&caller).await?;
    let numbers = if query.severity.is_some() || query.kev.is_some() {
        let wanted = FindingFilter {
            packages: query
                .package
                .clone()
                .map(|package| BTreeSet::from([package])),
            severities: query.severity.map(at_least),
            kev: query.kev,
        };
        Some(images_with(&tx, &wanted).await?)
    } else {
        None
    };
    let filter = ImageFilter {
        digest: None,
        repository: query.repository.map(Name::into_text),
        namespace: query.namespace.map(Name::into_text),
        sbom: query.sbom,
        package: query.package,
        numbers,
    };
    let records = tx.image_list(&filter, after, limit).await?;
    tx.commit().await?;
    let continuation_token = caller
        .pages()
        .after_page(BY, &records, limit, |last| last.number);
    Ok(Json(ImagePage {
        items: records.into_iter().map(Image::of).collect(),
        continuation_token,
    }))
}
