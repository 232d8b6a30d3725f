//! Inventory: SBOMs, their components and the images made of them.

use std::collections::{BTreeMap, BTreeSet};

use jobengine_domain::digest::Digest;
use jobengine_domain::time::Timestamp;
use jobengine_impact::sbom::{Component, Sbom};
use tokio_postgres::Row;

use crate::caller::Tx;
use crate::change::{ChangeKind, NewChange};
use crate::document::NewDocument;
use crate::error::{StoreError, expect_one};
use crate::job::digest;
use crate::ts::Ts;

/// What is said of an image beside its SBOM. `None`: nothing new.
#[derive(Debug, Clone, Default)]
pub struct ImageNames {
    /// Where it is pushed to.
    pub repository: Option<String>,
    /// One more tag.
    pub tag: Option<String>,
    /// The namespace it runs in.
    pub namespace: Option<String>,
    /// Whether the component set is what the entrypoint uses.
    pub used_by_entrypoint: Option<bool>,
}

/// What became of an SBOM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SbomStored {
    /// Digest of the document as it came.
    pub sbom: Digest,
    /// Whether the image is new or its SBOM or names are.
    pub changed: bool,
}

/// An image of the fleet.
#[derive(Debug, Clone)]
pub struct ImageRecord {
    /// Its bit in every bitmap.
    pub number: u32,
    /// Its digest.
    pub digest: Digest,
    /// Where it is pushed to; empty when nobody said.
    pub repository: String,
    /// Its tags, sorted.
    pub tags: Vec<String>,
    /// The namespace it runs in; empty when nobody said.
    pub namespace: String,
    /// The SBOM it is made of.
    pub sbom: Digest,
    /// The SBOM its findings were computed from.
    pub evaluated_sbom: Option<Digest>,
    /// The SBOM's format.
    pub format: String,
    /// How many components it has.
    pub components: u32,
    /// When anything about it last changed.
    pub changed_at: Timestamp,
}

impl Tx {
    /// Stores an SBOM and makes the image consist of it; writes the change to the stream.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the tenant does not exist.
    pub async fn sbom_put(
        &self,
        image: Digest,
        names: &ImageNames,
        sbom: &Sbom,
        document: &[u8],
    ) -> Result<SbomStored, StoreError> {
        let clock = self
            .query_opt(include_str!("sbom/clock_lock.sql"), &[])
            .await?
            .ok_or(StoreError::Missing("the tenant"))?;
        let (mut next_image, mut next_component): (i64, i64) =
            (clock.get("next_image"), clock.get("next_component"));
        let sbom_digest = Digest::of(document);
        self.documents_put(
            "sbom",
            &[NewDocument {
                digest: sbom_digest,
                body: document.to_vec(),
            }],
        )
        .await?;
        let components = self
            .components_number(&sbom.components, &mut next_component)
            .await?;
        self.execute(
            include_str!("sbom/insert.sql"),
            &[
                &self.tenant().0,
                &sbom_digest.as_bytes().as_slice(),
                &sbom.format,
                &components,
                &Ts(self.now()),
            ],
        )
        .await?;
        let known = self
            .query_opt(
                include_str!("sbom/image_find.sql"),
                &[&image.as_bytes().as_slice()],
            )
            .await?;
        let number = known.as_ref().map_or(next_image, |row| row.get("image_no"));
        next_image += i64::from(known.is_none());
        let moved = self
            .execute(
                include_str!("sbom/clock_set.sql"),
                &[&next_image, &next_component],
            )
            .await?;
        expect_one(moved, "the tenant's numbers")?;
        let before = known
            .as_ref()
            .map(|row| digest(row.get("sbom_digest"), "image.sbom_digest"))
            .transpose()?;
        let changed =
            before != Some(sbom_digest) || known.as_ref().is_none_or(|row| names.differ(row));
        if changed {
            self.execute(
                include_str!("sbom/image_put.sql"),
                &[
                    &self.tenant().0,
                    &number,
                    &image.as_bytes().as_slice(),
                    &names.repository,
                    &names.tag,
                    &names.namespace,
                    &names.used_by_entrypoint,
                    &sbom_digest.as_bytes().as_slice(),
                    &Ts(self.now()),
                ],
            )
            .await?;
            let change = NewChange {
                subject: image.to_string(),
                before,
                after: Some(sbom_digest),
            };
            self.changes_write(ChangeKind::Image, None, &[change])
                .await?;
            self.event_write("image.changed", None, Some(&image.to_string()))
                .await?;
        }
        Ok(SbomStored {
            sbom: sbom_digest,
            changed,
        })
    }

    /// Reads a page of images after number `after` (`None`: from the first), or the one with `digest`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn image_list(
        &self,
        digest: Option<Digest>,
        after: Option<u32>,
        limit: u32,
    ) -> Result<Vec<ImageRecord>, StoreError> {
        let digest = digest.map(|digest| digest.as_bytes().to_vec());
        let after = after.map_or(-1, i64::from);
        let rows = self
            .query(
                include_str!("sbom/images.sql"),
                &[&digest, &after, &i64::from(limit)],
            )
            .await?;
        rows.iter().map(image_record).collect()
    }

    /// Those of some images that were never evaluated as they are made now: their first evaluation
    /// is still under way, or a segment of it failed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn images_unevaluated(
        &self,
        images: &BTreeSet<Digest>,
    ) -> Result<BTreeSet<Digest>, StoreError> {
        let images: Vec<&[u8]> = images
            .iter()
            .map(|image| image.as_bytes().as_slice())
            .collect();
        let rows = self
            .query(include_str!("sbom/unevaluated.sql"), &[&images])
            .await?;
        rows.iter()
            .map(|row| digest(row.get("digest"), "image.digest"))
            .collect()
    }

    /// Numbers of components in their order; unknown ones are made.
    async fn components_number(
        &self,
        components: &[Component],
        next: &mut i64,
    ) -> Result<Vec<i64>, StoreError> {
        let facts: Vec<NewDocument> = components
            .iter()
            .map(NewDocument::of_facts)
            .collect::<Result<_, _>>()?;
        let digests: Vec<&[u8]> = facts
            .iter()
            .map(|facts| facts.digest.as_bytes().as_slice())
            .collect();
        let rows = self
            .query(include_str!("sbom/components.sql"), &[&digests])
            .await?;
        let mut known: BTreeMap<Digest, i64> = rows
            .iter()
            .map(|row| {
                Ok((
                    digest(row.get("facts_digest"), "component.facts_digest")?,
                    row.get("component_no"),
                ))
            })
            .collect::<Result<_, StoreError>>()?;
        let (mut numbers, mut made) = (Vec::with_capacity(facts.len()), Vec::new());
        for (component, facts) in components.iter().zip(&facts) {
            let number = *known.entry(facts.digest).or_insert_with(|| {
                made.push((*next, component, facts));
                *next += 1;
                *next - 1
            });
            numbers.push(number);
        }
        if !made.is_empty() {
            let package = |component: &Component| component.identity.as_ref().ok().cloned();
            let text =
                |facts: &NewDocument| String::from_utf8(facts.body.clone()).expect("JSON is UTF-8");
            self.execute(
                include_str!("sbom/components_insert.sql"),
                &[
                    &self.tenant().0,
                    &made.iter().map(|(number, ..)| *number).collect::<Vec<_>>(),
                    &made
                        .iter()
                        .map(|(_, component, _)| component.purl.as_str())
                        .collect::<Vec<_>>(),
                    &made
                        .iter()
                        .map(|(.., facts)| text(facts))
                        .collect::<Vec<_>>(),
                    &made
                        .iter()
                        .map(|(.., facts)| facts.digest.as_bytes().as_slice())
                        .collect::<Vec<_>>(),
                    &made
                        .iter()
                        .map(|(_, part, _)| package(part).map(|found| found.key.to_string()))
                        .collect::<Vec<_>>(),
                    &made
                        .iter()
                        .map(|(_, part, _)| package(part).map(|found| found.version))
                        .collect::<Vec<_>>(),
                ],
            )
            .await?;
        }
        Ok(numbers)
    }
}

impl ImageNames {
    fn differ(&self, row: &Row) -> bool {
        let tags: Vec<&str> = row.get("tags");
        self.repository
            .as_deref()
            .is_some_and(|name| name != row.get::<_, &str>("repository"))
            || self.tag.as_deref().is_some_and(|tag| !tags.contains(&tag))
            || self
                .namespace
                .as_deref()
                .is_some_and(|name| name != row.get::<_, &str>("namespace"))
            || self
                .used_by_entrypoint
                .is_some_and(|used| row.get::<_, Option<bool>>("used_by_entrypoint") != Some(used))
    }
}

fn image_record(row: &Row) -> Result<ImageRecord, StoreError> {
    let evaluated: Option<&[u8]> = row.get("evaluated_sbom");
    Ok(ImageRecord {
        number: number(row.get("image_no"))?,
        digest: digest(row.get("digest"), "image.digest")?,
        repository: row.get("repository"),
        tags: row.get("tags"),
        namespace: row.get("namespace"),
        sbom: digest(row.get("sbom_digest"), "image.sbom_digest")?,
        evaluated_sbom: evaluated
            .map(|bytes| digest(bytes, "image.evaluated_sbom"))
            .transpose()?,
        format: row.get("format"),
        components: crate::ticket::unsigned(row.get("components"), "sbom.components")?,
        changed_at: row.get::<_, Ts>("changed_at").0,
    })
}

/// An image's number, read back.
pub(crate) fn number(number: i64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| StoreError::Corrupt {
        place: "image.image_no",
    })
}
