//! `GET /findings`: what is wrong with an image, or where a package's flaws are.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use jobengine_domain::digest::Digest;
use jobengine_impact::finding::{FindingKey, FindingSets, Weight};
use jobengine_impact::package::PackageKey;
use jobengine_impact::severity::Severity;
use jobengine_store::{StoreError, Tx};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::identity::Caller;
use crate::page::{after_page, page_limit, resume};
use crate::params::QueryParams;
use crate::problem::{Code, Problem};
use crate::route::Routes;
use crate::state::AppState;

/// The list and its order.
const BY: &str = "findings";

pub(super) fn routes() -> Routes {
    Routes::new().add(routes!(finding_list))
}

/// Whose findings, and which page of them. One of `image` and `package` is needed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// The findings of this image.
    #[param(value_type = Option<String>, example = "sha256:2222222222222222222222222222222222222222222222222222222222222222")]
    image: Option<Digest>,
    /// The findings of this package, in all images.
    #[param(value_type = Option<String>, example = "npm/left-pad")]
    package: Option<PackageKey>,
    /// Most items of the page, 1 to 500; 100 when it is left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The token of the page before.
    continuation_token: Option<String>,
}

/// A finding: of one image, or of all images that have it so.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Finding {
    /// The image, when one was asked for.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<Digest>,
    /// The component, as its SBOM spells it.
    #[schema(example = "pkg:npm/left-pad@1.0.0")]
    purl: String,
    /// The package that was judged.
    #[schema(value_type = String, example = "npm/left-pad")]
    package: PackageKey,
    /// The flaw: its CVE ids, else its other names.
    #[schema(example = "CVE-2024-1")]
    group: String,
    /// Ids of the advisories that speak of the flaw now.
    advisories: Vec<String>,
    /// `unknown`, `low`, `medium`, `high` or `critical`.
    severity: &'static str,
    /// Whether it is known to be exploited.
    kev: bool,
    /// How many images have it so, when a package was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    images: Option<u64>,
}

/// A page of findings.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FindingPage {
    /// Sorted by package.
    items: Vec<Finding>,
    /// Where the next page starts; `null` on the last one.
    continuation_token: Option<String>,
}

/// List findings
///
/// The findings of an image as of its last evaluation, or those of a package over the whole fleet. What VEX
/// statements take away is not listed. Images evaluated at different times may have the same finding with
/// different severities; then it is listed once for each.
#[utoipa::path(
    get, path = "/findings", operation_id = "finding_list", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.read"))),
    params(Filter),
    responses(
        (status = 200, description = "A page of findings", body = FindingPage),
        (status = 400, description = "A parameter cannot be read, or not exactly one of image and package is there (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
        (status = 404, description = "The tenant has no such image (NOT_FOUND)"),
    )
)]
async fn finding_list(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(filter): QueryParams<Filter>,
) -> Result<Json<FindingPage>, Problem> {
    let limit = page_limit(filter.limit)?;
    let after: Option<Place> = resume(BY, filter.continuation_token.as_deref())?;
    let image = filter.image;
    let tx = state.store().begin(&caller).await?;
    let found = match (image, filter.package) {
        (Some(image), None) => of_image(&tx, image).await?,
        (None, Some(package)) => Some(of_package(&tx, package).await?),
        (Some(_), Some(_)) | (None, None) => {
            tx.commit().await?;
            let detail = "one of image and package is needed";
            return Err(Problem::new(Code::ParameterInvalid, detail));
        }
    };
    let Some(mut sets) = found else {
        tx.commit().await?;
        return Err(Problem::not_found("image"));
    };
    sets.sort_by(|a, b| a.place.cmp(&b.place));
    let rest = sets
        .into_iter()
        .filter(|set| after.as_ref().is_none_or(|after| set.place > *after));
    let page: Vec<Set> = rest.take(limit as usize).collect();
    let groups: BTreeSet<String> = page.iter().map(|set| set.key.group.clone()).collect();
    let advisories = tx.group_advisories(&groups).await?;
    tx.commit().await?;
    let continuation_token = after_page(BY, &page, limit, |last| last.place.clone());
    let finding = |set: Set| Finding {
        image,
        advisories: advisories.get(&set.key.group).cloned().unwrap_or_default(),
        purl: set.key.purl,
        package: set.key.package,
        group: set.key.group,
        severity: set.weight.severity.as_str(),
        kev: set.weight.kev,
        images: image.is_none().then_some(set.images),
    };
    Ok(Json(FindingPage {
        items: page.into_iter().map(finding).collect(),
        continuation_token,
    }))
}

/// One finding set, of which only the number of images is of interest.
struct Set {
    place: Place,
    key: FindingKey,
    weight: Weight,
    images: u64,
}

/// The place of a set in the list. Purls and flaws may be long, so within a package sets stand in the order
/// of a hash over what names them.
type Place = (PackageKey, Digest);

fn place(key: &FindingKey, Weight { severity, kev }: Weight) -> Place {
    let parts: (&str, &str, Severity, bool) = (&key.purl, &key.group, severity, kev);
    let parts = serde_json::to_vec(&parts).expect("texts are plain JSON");
    (key.package.clone(), Digest::of(&parts))
}

fn sets(found: &FindingSets, of: Option<u32>) -> Vec<Set> {
    let wanted = found
        .sets()
        .filter(|(.., images)| of.is_none_or(|image| images.contains(image)));
    wanted
        .map(|(key, weight, images)| Set {
            place: place(key, weight),
            key: key.clone(),
            weight,
            images: images.cardinality(),
        })
        .collect()
}

/// `None` when the tenant has no such image.
async fn of_image(tx: &Tx, image: Digest) -> Result<Option<Vec<Set>>, StoreError> {
    let images = tx.image_list(Some(image), None, 1).await?;
    let Some(record) = images.first() else {
        return Ok(None);
    };
    let packages = tx
        .sbom_packages(&record.evaluated_sbom.into_iter().collect())
        .await?;
    let found = tx.findings_get(&packages).await?;
    Ok(Some(sets(&found, Some(record.number))))
}

async fn of_package(tx: &Tx, package: PackageKey) -> Result<Vec<Set>, StoreError> {
    let found = tx.findings_get(&BTreeSet::from([package])).await?;
    Ok(sets(&found, None))
}
