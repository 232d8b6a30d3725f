//! Inventory: SBOMs, their components and the images made of them.

use std::collections::BTreeMap;

use jobengine_domain::digest::Digest;
use jobengine_domain::event::EventType;
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

/// An SBOM as it stands in the ledger.
#[derive(Debug, Clone)]
pub struct SbomRecord {
    /// Digest of the document as it came.
    pub digest: Digest,
    /// Format and version.
    pub format: String,
    /// How many components it lists.
    pub components: u32,
    /// How many images of the fleet consist of it.
    pub images: u64,
    /// When it came first.
    pub created_at: Timestamp,
}

/// What became of an SBOM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SbomStored {
    /// Digest of the document as it came.
    pub sbom: Digest,
    /// Whether the image is new or its SBOM or names are.
    pub changed: bool,
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
                &sbom.names.iter().collect::<Vec<_>>(),
            ],
        )
        .await?;
        let known = self
            .query_opt(
                include_str!("image/find.sql"),
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
        // One that had left the fleet comes back as a new one, with its old number.
        let standing = known.as_ref().filter(|row| !row.get::<_, bool>("removed"));
        let before = standing
            .map(|row| digest(row.get("sbom_digest"), "image.sbom_digest"))
            .transpose()?;
        let changed = before != Some(sbom_digest) || standing.is_none_or(|row| names.differ(row));
        if changed {
            self.execute(
                include_str!("image/put.sql"),
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
            self.event_write(EventType::ImageChanged, None, Some(&image.to_string()))
                .await?;
        }
        Ok(SbomStored {
            sbom: sbom_digest,
            changed,
        })
    }

    /// Reads a page of SBOMs after one, in the order of their digests.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sbom_list(
        &self,
        after: Option<Digest>,
        limit: u32,
    ) -> Result<Vec<SbomRecord>, StoreError> {
        let after = after.map_or(Vec::new(), |digest| digest.as_bytes().to_vec());
        self.sboms(&after, limit, None).await
    }

    /// Reads one SBOM; `None` when this tenant has none with that digest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sbom_find(&self, digest: Digest) -> Result<Option<SbomRecord>, StoreError> {
        let only = Some(digest.as_bytes().as_slice());
        Ok(self.sboms(&[], 1, only).await?.pop())
    }

    async fn sboms(
        &self,
        after: &[u8],
        limit: u32,
        only: Option<&[u8]>,
    ) -> Result<Vec<SbomRecord>, StoreError> {
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
            [&after, &i64::from(limit), &only];
        let rows = self.query(include_str!("sbom/list.sql"), &params).await?;
        rows.iter().map(sbom_record).collect()
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

fn sbom_record(row: &Row) -> Result<SbomRecord, StoreError> {
    let images: i64 = row.get("images");
    Ok(SbomRecord {
        digest: digest(row.get("digest"), "sbom.digest")?,
        format: row.get("format"),
        components: crate::ticket::unsigned(row.get("components"), "sbom.components")?,
        images: images.unsigned_abs(),
        created_at: row.get::<_, Ts>("created_at").0,
    })
}
