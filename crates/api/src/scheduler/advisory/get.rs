//! `GET /advisories/{id}`: what it says, and what it hits.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use jobengine_domain::digest::Digest;
use jobengine_impact::advisory::Advisory;
use jobengine_impact::finding::Bitmap;
use jobengine_impact::package::PackageKey;
use jobengine_store::{FindingFilter, RefusalKind, StoreError, Tx};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::list::AdvisoryEntry;
use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::route::Routes;
use crate::scheduler::hit::Hits;
use crate::scheduler::refusal::Refusal;
use crate::state::AppState;

/// Findings named in one answer.
const HITS_MAX: usize = 500;
/// Finding sets read per statement.
const CHUNK: u32 = 500;

pub(super) fn routes() -> Routes {
    Routes::new().add(routes!(advisory_get))
}

/// An advisory with what it hits.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AdvisoryWhole {
    /// Its id.
    #[schema(example = "GHSA-jfh8-c2jp-5v3q")]
    id: String,
    /// What each source says, sorted by source.
    records: Vec<SourceRecord>,
    /// What could not be read of this advisory when it came last, one entry a source that has it. Where it was
    /// refused, the record above is an earlier one.
    refusals: Vec<Refusal>,
    /// Components of the fleet that it hits, as of their images' last evaluation; the first 500.
    hits: Vec<ComponentHit>,
    /// How many images it hits in all.
    images_hit: u64,
}

/// What one source says.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SourceRecord {
    #[serde(flatten)]
    entry: AdvisoryEntry,
    /// The facts read from the record: aliases, affected packages with versions and ranges, severity; in `unread`
    /// the parts that could not be read.
    #[schema(value_type = Object)]
    facts: Advisory,
}

/// A component that is hit.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ComponentHit {
    /// The component, as its SBOM spells it.
    #[schema(example = "pkg:npm/left-pad@1.0.0")]
    purl: String,
    /// The package that was judged.
    #[schema(value_type = String, example = "npm/left-pad")]
    package: PackageKey,
    /// `unknown`, `low`, `medium`, `high` or `critical`.
    severity: &'static str,
    /// Whether it is known to be exploited.
    kev: bool,
    /// How many images have it so.
    images: u64,
}

/// Read an advisory
///
/// What every source says under this id, and which components of the fleet have a finding that rests on it.
#[utoipa::path(
    get, path = "/advisories/{id}", operation_id = "advisory_get", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.read"))),
    params(("id" = String, Path, description = "The advisory's own id", example = "GHSA-jfh8-c2jp-5v3q")),
    responses(
        (status = 200, description = "The advisory", body = AdvisoryWhole),
        (status = 404, description = "No advisory stands under this id (NOT_FOUND)"),
    )
)]
async fn advisory_get(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(id): PathParams<String>,
) -> Result<Json<AdvisoryWhole>, Problem> {
    let tx = state.store().read(&caller).await?;
    let records = tx.advisory_find(&id).await?;
    if records.is_empty() {
        tx.commit().await?;
        return Err(Problem::not_found("advisory"));
    }
    let digests: Vec<Digest> = records.iter().map(|record| record.digest).collect();
    let facts = tx.advisories_get(&digests).await?;
    let groups = records.iter().map(|record| record.group.clone()).collect();
    let refusals = tx.refusals_of_record(RefusalKind::Advisory, &id).await?;
    let (hits, images) = hits(&tx, &facts, &groups).await?;
    tx.commit().await?;
    let record = |record: jobengine_store::AdvisoryRecord| {
        let facts = facts.get(&record.digest)?.clone();
        let entry = AdvisoryEntry::of(record);
        Some(SourceRecord { entry, facts })
    };
    Ok(Json(AdvisoryWhole {
        id,
        records: records.into_iter().filter_map(record).collect(),
        refusals: refusals.into_iter().map(Refusal::of).collect(),
        hits,
        images_hit: images.cardinality(),
    }))
}

/// The findings that rest on these advisories, and the images that have one.
async fn hits(
    tx: &Tx,
    advisories: &BTreeMap<Digest, Advisory>,
    groups: &BTreeSet<String>,
) -> Result<(Vec<ComponentHit>, Bitmap), StoreError> {
    let affected = advisories.values().flat_map(|advisory| &advisory.affected);
    let filter = FindingFilter {
        packages: Some(affected.map(|entry| entry.package.clone()).collect()),
        ..FindingFilter::default()
    };
    let judge = Hits::new(advisories.values());
    let (mut found, mut images, mut after) = (Vec::new(), Bitmap::new(), None);
    loop {
        let rows = tx.finding_page(&filter, after.as_ref(), CHUNK).await?;
        let full = rows.len() >= CHUNK as usize;
        for (place, row) in rows {
            let by_basis = row.by_basis().map_err(|_| StoreError::Corrupt {
                place: "finding.images",
            })?;
            let mut members = Bitmap::new();
            for (basis, images) in &by_basis {
                if groups.contains(&row.group) && !judge.of(&row, [*basis]).is_empty() {
                    members.or_inplace(images);
                }
            }
            if !members.is_empty() {
                images.or_inplace(&members);
                if found.len() < HITS_MAX {
                    found.push(ComponentHit {
                        images: members.cardinality(),
                        severity: row.severity.as_str(),
                        kev: row.kev,
                        purl: row.purl,
                        package: row.package,
                    });
                }
            }
            after = Some(place);
        }
        if !full {
            return Ok((found, images));
        }
    }
}
