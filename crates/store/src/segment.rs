//! Segments: what a worker needs to evaluate its slice of a run, as the run pinned it.

use std::collections::{BTreeMap, BTreeSet};

use jobengine_domain::digest::Digest;
use jobengine_domain::id::RunId;
use jobengine_impact::evaluate::Scope;
use jobengine_impact::sbom::Component;
use jobengine_impact::segment::Segment;
use jobengine_impact::segment_input::{SegmentImage, SegmentInput};

use crate::caller::Tx;
use crate::error::StoreError;
use crate::impact_run::RunInput;
use crate::job::digest;
use crate::ticket::{signed, unsigned};

impl Tx {
    /// Reads the input of one segment of a run. The same run and segment give the same input for
    /// ever, whatever has changed since.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the run is not an impact run.
    pub async fn segment_input(
        &self,
        run: RunId,
        segment: &Segment,
    ) -> Result<SegmentInput, StoreError> {
        let record = self
            .impact_run_find(run)
            .await?
            .ok_or(StoreError::Missing("the impact run"))?;
        let scope = if segment.scope_all {
            Scope::All
        } else {
            let packages = record
                .packages
                .iter()
                .map(|package| package.parse())
                .collect::<Result<_, _>>();
            Scope::Packages(packages.map_err(|_| StoreError::Corrupt {
                place: "impact_run.packages",
            })?)
        };
        let names: Vec<&[u8]> = segment
            .images
            .iter()
            .map(|image| image.as_bytes().as_slice())
            .collect();
        let rows = self
            .query(include_str!("segment/images.sql"), &[&run.0, &names])
            .await?;
        if rows.len() != names.len() {
            return Err(StoreError::Corrupt {
                place: "run_input.subject",
            });
        }
        let wanted: BTreeSet<i64> = rows
            .iter()
            .flat_map(|row| row.get::<_, Vec<i64>>("components"))
            .collect();
        let wanted: Vec<i64> = wanted.into_iter().collect();
        let (components, places, packages) = self.components(&wanted, &scope).await?;
        let images = rows.iter().map(|row| {
            let repository: String = row.get("repository");
            let tags: Vec<String> = row.get("tags");
            let mut names = image_names(&repository, &tags);
            names.extend(row.get::<_, Vec<String>>("names"));
            names.sort_unstable();
            names.dedup();
            let parts: Vec<i64> = row.get("components");
            Ok(SegmentImage {
                digest: digest(row.get("digest"), "image.digest")?,
                names,
                components: parts.iter().map(|part| places[part]).collect(),
            })
        });
        let images = images.collect::<Result<_, StoreError>>()?;
        let advisories = self
            .query(include_str!("segment/advisories.sql"), &[&run.0, &packages])
            .await?;
        let advisories: Vec<Digest> = advisories
            .iter()
            .map(|row| digest(row.get("digest"), "run_input.digest"))
            .collect::<Result<_, _>>()?;
        let pinned = self.run_inputs(run).await?;
        let of_kind = |kind: &str| {
            pinned
                .iter()
                .filter(|input| input.kind == kind)
                .map(|input| input.digest)
                .collect()
        };
        let vex: Vec<Digest> = of_kind("vex");
        Ok(SegmentInput {
            run_id: run,
            ordinal: segment.ordinal,
            scope,
            images,
            components,
            advisories: self
                .advisories_get(&advisories)
                .await?
                .into_values()
                .collect(),
            kev: self.kev_get(kev_version(&pinned)).await?,
            vex: self.vex_get(&vex).await?,
        })
    }

    pub(crate) async fn segments_insert(
        &self,
        run: RunId,
        segments: &[Segment],
    ) -> Result<(), StoreError> {
        for segment in segments {
            let images: Vec<&[u8]> = segment
                .images
                .iter()
                .map(|image| image.as_bytes().as_slice())
                .collect();
            let params: [&(dyn tokio_postgres::types::ToSql + Sync); 5] = [
                &self.tenant().0,
                &run.0,
                &signed(segment.ordinal),
                &segment.scope_all,
                &images,
            ];
            self.execute(include_str!("segment/insert.sql"), &params)
                .await?;
        }
        Ok(())
    }

    /// The segments of an impact run in order: all, or the one with this ordinal.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn segments_get(
        &self,
        run: RunId,
        ordinal: Option<u32>,
    ) -> Result<Vec<Segment>, StoreError> {
        let rows = self
            .query(
                include_str!("segment/get.sql"),
                &[&run.0, &ordinal.map(signed)],
            )
            .await?;
        rows.iter()
            .map(|row| {
                let images: Vec<&[u8]> = row.get("images");
                Ok(Segment {
                    ordinal: unsigned(row.get("ordinal"), "segment.ordinal")?,
                    scope_all: row.get("scope_all"),
                    images: images
                        .into_iter()
                        .map(|image| digest(image, "segment.images"))
                        .collect::<Result<_, _>>()?,
                })
            })
            .collect()
    }

    /// Components in the order of their numbers, the place of each number, and the packages of
    /// those in scope.
    async fn components(
        &self,
        wanted: &[i64],
        scope: &Scope,
    ) -> Result<(Vec<Component>, BTreeMap<i64, u32>, Vec<String>), StoreError> {
        let rows = self
            .query(include_str!("segment/components.sql"), &[&wanted])
            .await?;
        if rows.len() != wanted.len() {
            return Err(StoreError::Corrupt {
                place: "sbom.components",
            });
        }
        let (mut components, mut places, mut packages) =
            (Vec::new(), BTreeMap::new(), BTreeSet::new());
        for (place, row) in (0..).zip(&rows) {
            let component: Component =
                serde_json::from_str(row.get("facts")).map_err(|_| StoreError::Corrupt {
                    place: "component.facts",
                })?;
            if let Ok(package) = &component.identity
                && scope.contains(&package.key)
            {
                packages.insert(package.key.to_string());
            }
            places.insert(row.get("component_no"), place);
            components.push(component);
        }
        Ok((components, places, packages.into_iter().collect()))
    }
}

fn kev_version(pinned: &[RunInput]) -> Option<Digest> {
    pinned
        .iter()
        .find(|input| input.kind == "kev")
        .map(|input| input.digest)
}

/// Image references, for VEX statements: the repository, and with each tag.
pub(crate) fn image_names(repository: &str, tags: &[String]) -> Vec<String> {
    if repository.is_empty() {
        return Vec::new();
    }
    let tagged = tags.iter().map(|tag| format!("{repository}:{tag}"));
    std::iter::once(repository.to_owned())
        .chain(tagged)
        .collect()
}
