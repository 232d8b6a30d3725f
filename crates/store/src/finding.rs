//! Findings as sets: read and replaced by package.

use std::collections::{BTreeMap, BTreeSet};

use jobengine_domain::digest::Digest;
use jobengine_impact::advisory::Advisory;
use jobengine_impact::finding::{Basis, FindingRow, FindingSets};
use jobengine_impact::package::PackageKey;
use jobengine_impact::severity::Severity;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::caller::Tx;
use crate::error::StoreError;
use crate::job::digest;

/// Which findings a list shows. `None`: any.
#[derive(Debug, Clone, Default)]
pub struct FindingFilter {
    /// Of these packages.
    pub packages: Option<BTreeSet<PackageKey>>,
    /// As bad as one of these.
    pub severities: Option<BTreeSet<Severity>>,
    /// Known to be exploited, or not.
    pub kev: Option<bool>,
}

/// The place of a finding set in the order of all: its package, and a hash over what else names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingPlace {
    /// The package, in its wire form.
    pub package: String,
    /// The hash.
    pub key: Vec<u8>,
}

impl Tx {
    /// The finding sets of some packages.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn findings_get(
        &self,
        packages: &BTreeSet<PackageKey>,
    ) -> Result<FindingSets, StoreError> {
        let packages: Vec<String> = packages.iter().map(ToString::to_string).collect();
        let rows = self
            .query(include_str!("finding/by_package.sql"), &[&packages])
            .await?;
        let found: Vec<FindingRow> = rows.iter().map(finding_row).collect::<Result<_, _>>()?;
        FindingSets::from_rows(found).map_err(|_| StoreError::Corrupt {
            place: "finding.images",
        })
    }

    /// Replaces finding sets: what differs between `before`, as it was read, and `after`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn findings_replace(
        &self,
        before: &FindingSets,
        after: &FindingSets,
    ) -> Result<(), StoreError> {
        let standing: BTreeSet<FindingRow> = before.rows().collect();
        let wanted: BTreeSet<FindingRow> = after.rows().collect();
        let fresh: Vec<&FindingRow> = wanted.difference(&standing).collect();
        let kept: BTreeSet<_> = fresh.iter().map(|row| row.key()).collect();
        let gone: Vec<&FindingRow> = standing
            .difference(&wanted)
            .filter(|row| !kept.contains(&row.key()))
            .collect();
        let packages = |rows: &[&FindingRow]| {
            rows.iter()
                .map(|row| row.package.to_string())
                .collect::<Vec<_>>()
        };
        let keys = |rows: &[&FindingRow]| rows.iter().map(|row| row_key(row)).collect::<Vec<_>>();
        let others = fresh.iter().map(|row| others_text(row));
        let others = others.collect::<Result<Vec<_>, _>>()?;
        self.execute(
            include_str!("finding/remove.sql"),
            &[&packages(&gone), &keys(&gone)],
        )
        .await?;
        self.execute(
            include_str!("finding/put.sql"),
            &[
                &self.tenant().0,
                &packages(&fresh),
                &keys(&fresh),
                &fresh
                    .iter()
                    .map(|row| row.purl.as_str())
                    .collect::<Vec<_>>(),
                &fresh
                    .iter()
                    .map(|row| row.group.as_str())
                    .collect::<Vec<_>>(),
                &fresh
                    .iter()
                    .map(|row| row.severity.as_str())
                    .collect::<Vec<_>>(),
                &fresh.iter().map(|row| row.kev).collect::<Vec<_>>(),
                &fresh
                    .iter()
                    .map(|row| row.images.as_slice())
                    .collect::<Vec<_>>(),
                &fresh
                    .iter()
                    .map(|row| row.basis.version.as_str())
                    .collect::<Vec<_>>(),
                &fresh
                    .iter()
                    .map(|row| row.basis.source_assumed)
                    .collect::<Vec<_>>(),
                &others,
            ],
        )
        .await?;
        Ok(())
    }

    /// The packages that some SBOMs list.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sbom_packages(
        &self,
        sboms: &BTreeSet<Digest>,
    ) -> Result<BTreeSet<PackageKey>, StoreError> {
        let sboms: Vec<&[u8]> = sboms
            .iter()
            .map(|sbom| sbom.as_bytes().as_slice())
            .collect();
        let rows = self
            .query(include_str!("finding/packages.sql"), &[&sboms])
            .await?;
        let key = |row: &tokio_postgres::Row| {
            let key = row.get::<_, &str>("package_key").parse();
            key.map_err(|_| StoreError::Corrupt {
                place: "component.package_key",
            })
        };
        rows.iter().map(key).collect()
    }

    /// The advisories that stand for some groups now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn group_advisories(
        &self,
        groups: &BTreeSet<String>,
    ) -> Result<BTreeMap<Digest, Advisory>, StoreError> {
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        let rows = self
            .query(include_str!("finding/groups.sql"), &[&groups])
            .await?;
        let digests: Vec<Digest> = rows
            .iter()
            .map(|row| digest(row.get("digest"), "advisory.digest"))
            .collect::<Result<_, _>>()?;
        self.advisories_get(&digests).await
    }

    /// Reads finding sets in the order of their places, after one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn finding_page(
        &self,
        filter: &FindingFilter,
        after: Option<&FindingPlace>,
        limit: u32,
    ) -> Result<Vec<(FindingPlace, FindingRow)>, StoreError> {
        let packages: Option<Vec<String>> = filter
            .packages
            .as_ref()
            .map(|packages| packages.iter().map(ToString::to_string).collect());
        let severities: Option<Vec<&str>> = filter
            .severities
            .as_ref()
            .map(|severities| severities.iter().map(|one| one.as_str()).collect());
        let (package, key) = after.map_or(("", &[][..]), |place| (&place.package, &place.key));
        let params: [&(dyn ToSql + Sync); 6] = [
            &packages,
            &severities,
            &filter.kev,
            &package,
            &key,
            &i64::from(limit),
        ];
        let rows = self
            .query(include_str!("finding/page.sql"), &params)
            .await?;
        rows.iter()
            .map(|row| {
                let place = FindingPlace {
                    package: row.get("package_key"),
                    key: row.get("row_key"),
                };
                Ok((place, finding_row(row)?))
            })
            .collect()
    }

    /// Keeps every other writer of this tenant's findings waiting until this transaction ends: their
    /// sets are read, changed and written back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn findings_lock(&self) -> Result<(), StoreError> {
        let tenant = self.tenant().to_string();
        self.query_one(include_str!("finding/lock.sql"), &[&tenant])
            .await?;
        Ok(())
    }
}

/// The images with another basis, as they are kept; `None` when there are none.
fn others_text(row: &FindingRow) -> Result<Option<String>, StoreError> {
    if row.others.is_empty() {
        return Ok(None);
    }
    let text = serde_json::to_string(&row.others).map_err(|_| OTHERS_DAMAGED)?;
    Ok(Some(text))
}

const OTHERS_DAMAGED: StoreError = StoreError::Corrupt {
    place: "finding.others",
};

fn finding_row(row: &Row) -> Result<FindingRow, StoreError> {
    let package = row.get::<_, &str>("package_key").parse();
    let severity = row.get::<_, &str>("severity").parse();
    let others: Option<&str> = row.get("others");
    let others = others.map(serde_json::from_str).transpose();
    Ok(FindingRow {
        package: package.map_err(|_| StoreError::Corrupt {
            place: "finding.package_key",
        })?,
        purl: row.get("purl"),
        group: row.get("group_key"),
        severity: severity.map_err(|_| StoreError::Corrupt {
            place: "finding.severity",
        })?,
        kev: row.get("kev"),
        images: row.get("images"),
        basis: Basis {
            version: row.get("version"),
            source_assumed: row.get("source_assumed"),
        },
        others: others.map_err(|_| OTHERS_DAMAGED)?.unwrap_or_default(),
    })
}

/// What names a set within its package: its other parts as JSON, which keeps them apart whatever they hold.
fn row_key(row: &FindingRow) -> Vec<u8> {
    let parts = serde_json::json!([row.purl, row.group, row.severity.as_str(), row.kev]);
    Digest::of(parts.to_string().as_bytes()).as_bytes().to_vec()
}
