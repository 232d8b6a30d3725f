//! Findings as sets: read and replaced by package.

use std::collections::{BTreeMap, BTreeSet};

use jobengine_domain::digest::Digest;
use jobengine_impact::finding::{FindingRow, FindingSets};
use jobengine_impact::package::PackageKey;

use crate::caller::Tx;
use crate::error::StoreError;

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
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let package = row.get::<_, &str>("package_key").parse();
            let severity = row.get::<_, &str>("severity").parse();
            found.push(FindingRow {
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
            });
        }
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

    /// Which advisories stand for some groups now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn group_advisories(
        &self,
        groups: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Vec<String>>, StoreError> {
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        let rows = self
            .query(include_str!("finding/groups.sql"), &[&groups])
            .await?;
        Ok(rows
            .iter()
            .map(|row| (row.get("group_key"), row.get("advisories")))
            .collect())
    }
}

/// What names a set within its package: its other parts as JSON, which keeps them apart whatever they hold.
fn row_key(row: &FindingRow) -> Vec<u8> {
    let parts = serde_json::json!([row.purl, row.group, row.severity.as_str(), row.kev]);
    Digest::of(parts.to_string().as_bytes()).as_bytes().to_vec()
}
