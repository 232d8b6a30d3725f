//! `GET /findings`: what is wrong with an image, a package or the fleet.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use jobengine_domain::digest::Digest;
use jobengine_impact::finding::{Basis, Bitmap, FindingRow};
use jobengine_impact::package::PackageKey;
use jobengine_impact::severity::Severity;
use jobengine_store::{FindingFilter, FindingPlace, StoreError, Tx};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::hit::Hits;
use super::name::Name;
use crate::identity::Caller;
use crate::page::page_limit;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::route::Routes;
use crate::state::AppState;

/// The list and its order.
const BY: &str = "findings";
/// Sets read per statement: bounds the memory of one answer.
const CHUNK: u32 = 500;

pub(super) fn routes() -> Routes {
    Routes::new().add(routes!(finding_list))
}

/// Which findings, and which page of them. Filters narrow each other.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// The findings of this image.
    #[param(value_type = Option<String>, example = "sha256:2222222222222222222222222222222222222222222222222222222222222222")]
    image: Option<Digest>,
    /// The findings of this package.
    #[param(value_type = Option<String>, example = "npm/left-pad")]
    package: Option<PackageKey>,
    /// Only findings at least so bad: `unknown`, `low`, `medium`, `high` or `critical`.
    #[param(value_type = Option<String>, pattern = "^(unknown|low|medium|high|critical)$")]
    severity: Option<Severity>,
    /// Only findings that are known to be exploited, or only others.
    kev: Option<bool>,
    /// Only findings of images in this repository.
    #[param(value_type = Option<String>, max_length = 500)]
    repository: Option<Name<500>>,
    /// Only findings of images in this namespace.
    #[param(value_type = Option<String>, max_length = 253)]
    namespace: Option<Name<253>>,
    /// Items on the page, 1 to 500; 100 unless said otherwise.
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
    /// Whether the package is an assumption: the SBOM of one of these images at least states no source package
    /// for the component, so that the binary package's name stands for it.
    source_assumed: bool,
    /// The flaw: its CVE ids, else its other names.
    #[schema(example = "CVE-2024-1")]
    group: String,
    /// Ids of the advisories that call the component's version affected now. Empty when they have changed and
    /// the image was not evaluated again yet.
    advisories: BTreeSet<String>,
    /// `unknown`, `low`, `medium`, `high` or `critical`.
    severity: &'static str,
    /// Whether it is known to be exploited.
    kev: bool,
    /// How many images have it so, of those that were asked for; left out when one was.
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
/// The findings of an image as of its last evaluation, or those of the fleet, by package. What VEX
/// statements take away is not listed. Images evaluated at different times may have the same finding with
/// different severities; then it is listed once for each. Advisories of a distribution are about source
/// packages: `sourceAssumed` marks a finding that rests on the binary package's name alone.
#[utoipa::path(
    get, path = "/findings", operation_id = "finding_list", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.read"))),
    params(Filter),
    responses(
        (status = 200, description = "A page of findings", body = FindingPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
        (status = 404, description = "The tenant has no such image (NOT_FOUND)"),
    )
)]
async fn finding_list(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<Filter>,
) -> Result<Json<FindingPage>, Problem> {
    let limit = page_limit(query.limit)?;
    let after: Option<Place> = caller
        .pages()
        .resume(BY, query.continuation_token.as_deref())?;
    let image = query.image;
    let tx = state.store().read(&caller).await?;
    let Some(wanted) = Wanted::read(&tx, query).await? else {
        tx.commit().await?;
        return Err(Problem::not_found("image"));
    };
    let page = wanted.page(&tx, after, limit).await?;
    let groups = page.iter().map(|set| set.row.group.clone()).collect();
    let advisories = tx.group_advisories(&groups).await?;
    tx.commit().await?;
    let continuation_token = caller
        .pages()
        .after_page(BY, &page, limit, |last| last.place.clone());
    let hits = Hits::new(advisories.values());
    let finding = |set: Set| Finding {
        image,
        advisories: hits.of(&set.row, &set.bases),
        source_assumed: set.bases.iter().any(|basis| basis.source_assumed),
        purl: set.row.purl,
        package: set.row.package,
        group: set.row.group,
        severity: set.row.severity.as_str(),
        kev: set.row.kev,
        images: image.is_none().then_some(set.images),
    };
    Ok(Json(FindingPage {
        items: page.into_iter().map(finding).collect(),
        continuation_token,
    }))
}

/// The severities from one up.
pub(super) fn at_least(severity: Severity) -> BTreeSet<Severity> {
    let worse = Severity::ALL.into_iter().filter(|one| *one >= severity);
    worse.collect()
}

/// Numbers of the images that have one of these findings.
pub(super) async fn images_with(
    tx: &Tx,
    filter: &FindingFilter,
) -> Result<BTreeSet<u32>, StoreError> {
    let (mut images, mut after) = (Bitmap::new(), None);
    loop {
        let rows = tx.finding_page(filter, after.as_ref(), CHUNK).await?;
        for (_, row) in &rows {
            images.or_inplace(&members(row)?);
        }
        let full = rows.len() >= CHUNK as usize;
        match rows.into_iter().last().filter(|_| full) {
            Some((place, _)) => after = Some(place),
            None => return Ok(images.iter().collect()),
        }
    }
}

/// One finding set of a page, with the number of images that were asked for in it, and what the component
/// was taken for in them.
struct Set {
    place: Place,
    row: FindingRow,
    images: u64,
    bases: Vec<Basis>,
}

/// The place of a set in the list: its package and the hash of what else names it.
type Place = (String, Vec<u8>);

/// What a page is read from.
struct Wanted {
    filter: FindingFilter,
    /// Only findings of these images.
    images: Option<Bitmap>,
}

impl Wanted {
    /// `None` when the tenant has no such image.
    async fn read(tx: &Tx, query: Filter) -> Result<Option<Self>, StoreError> {
        let mut filter = FindingFilter {
            packages: query.package.map(|package| BTreeSet::from([package])),
            severities: query.severity.map(at_least),
            kev: query.kev,
        };
        let (repository, namespace) = (query.repository.as_ref(), query.namespace.as_ref());
        let mut images = None;
        if repository.is_some() || namespace.is_some() {
            let (repository, namespace) =
                (repository.map(Name::as_str), namespace.map(Name::as_str));
            let numbers = tx.image_numbers(repository, namespace).await?;
            images = Some(numbers.into_iter().collect::<Bitmap>());
        }
        let Some(image) = query.image else {
            return Ok(Some(Self { filter, images }));
        };
        let Some(record) = tx.image_find(image).await? else {
            return Ok(None);
        };
        let listed = tx
            .sbom_packages(&record.evaluated_sbom.into_iter().collect())
            .await?;
        filter.packages = Some(match filter.packages {
            Some(packages) => packages.intersection(&listed).cloned().collect(),
            None => listed,
        });
        let inside = images.is_none_or(|images| images.contains(record.number));
        let images = inside.then_some(record.number).into_iter().collect();
        Ok(Some(Self {
            filter,
            images: Some(images),
        }))
    }

    /// The first sets after a place that have one of the images.
    async fn page(
        &self,
        tx: &Tx,
        after: Option<Place>,
        limit: u32,
    ) -> Result<Vec<Set>, StoreError> {
        let mut page = Vec::new();
        let mut after = after.map(|(package, key)| FindingPlace { package, key });
        loop {
            let rows = tx.finding_page(&self.filter, after.as_ref(), CHUNK).await?;
            let full = rows.len() >= CHUNK as usize;
            for (place, row) in rows {
                let mut by_basis = row.by_basis().map_err(|_| DAMAGED)?;
                if let Some(wanted) = &self.images {
                    by_basis.retain(|_, images| {
                        images.and_inplace(wanted);
                        !images.is_empty()
                    });
                }
                let images = by_basis.values().map(Bitmap::cardinality).sum();
                if images > 0 {
                    let bases = by_basis.into_keys().cloned().collect();
                    page.push(Set {
                        place: (place.package.clone(), place.key.clone()),
                        row,
                        images,
                        bases,
                    });
                    if page.len() >= limit as usize {
                        return Ok(page);
                    }
                }
                after = Some(place);
            }
            if !full {
                return Ok(page);
            }
        }
    }
}

fn members(row: &FindingRow) -> Result<Bitmap, StoreError> {
    row.members().map_err(|_| DAMAGED)
}

const DAMAGED: StoreError = StoreError::Corrupt {
    place: "finding.images",
};
