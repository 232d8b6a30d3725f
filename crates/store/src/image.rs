//! Images of the fleet: read by page, and taken out of it.

use std::collections::BTreeSet;

use jobengine_domain::digest::Digest;
use jobengine_domain::event::EventType;
use jobengine_domain::time::Timestamp;
use jobengine_impact::package::PackageKey;
use tokio_postgres::Row;

use crate::caller::Tx;
use crate::change::{ChangeKind, NewChange};
use crate::error::{StoreError, expect_one};
use crate::job::digest;
use crate::ts::Ts;

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

/// Which images a list shows. `None`: any.
#[derive(Debug, Clone, Default)]
pub struct ImageFilter {
    /// The one with this digest.
    pub digest: Option<Digest>,
    /// In this repository.
    pub repository: Option<String>,
    /// In this namespace.
    pub namespace: Option<String>,
    /// Made of this SBOM.
    pub sbom: Option<Digest>,
    /// Carrying this package.
    pub package: Option<PackageKey>,
    /// With one of these numbers.
    pub numbers: Option<BTreeSet<u32>>,
}

impl Tx {
    /// Reads a page of images after number `after` (`None`: from the first).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn image_list(
        &self,
        filter: &ImageFilter,
        after: Option<u32>,
        limit: u32,
    ) -> Result<Vec<ImageRecord>, StoreError> {
        let bytes = |digest: Option<Digest>| digest.map(|digest| digest.as_bytes().to_vec());
        let after = after.map_or(-1, i64::from);
        let package = filter.package.as_ref().map(ToString::to_string);
        let numbers: Option<Vec<i64>> = filter
            .numbers
            .as_ref()
            .map(|numbers| numbers.iter().copied().map(i64::from).collect());
        let rows = self
            .query(
                include_str!("image/list.sql"),
                &[
                    &bytes(filter.digest),
                    &after,
                    &i64::from(limit),
                    &filter.repository,
                    &filter.namespace,
                    &bytes(filter.sbom),
                    &package,
                    &numbers,
                ],
            )
            .await?;
        rows.iter().map(image_record).collect()
    }

    /// Reads one image of the fleet; `None` when this tenant has none with that digest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn image_find(&self, image: Digest) -> Result<Option<ImageRecord>, StoreError> {
        let filter = ImageFilter {
            digest: Some(image),
            ..ImageFilter::default()
        };
        Ok(self.image_list(&filter, None, 1).await?.pop())
    }

    /// Numbers of the images in a repository and a namespace.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn image_numbers(
        &self,
        repository: Option<&str>,
        namespace: Option<&str>,
    ) -> Result<BTreeSet<u32>, StoreError> {
        let rows = self
            .query(
                include_str!("image/numbers.sql"),
                &[&repository, &namespace],
            )
            .await?;
        rows.iter().map(|row| number(row.get("image_no"))).collect()
    }

    /// Takes an image out of the fleet, with its findings; writes the change to the stream. Its row
    /// stays, because runs that evaluated it can be read again. Returns it as it stood; `None` when
    /// the fleet has no such image.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn image_remove(&self, image: Digest) -> Result<Option<ImageRecord>, StoreError> {
        self.findings_lock().await?;
        let Some(record) = self.image_find(image).await? else {
            return Ok(None);
        };
        let sboms = [Some(record.sbom), record.evaluated_sbom];
        let packages = self
            .sbom_packages(&sboms.into_iter().flatten().collect())
            .await?;
        let before = self.findings_get(&packages).await?;
        let mut after = before.clone();
        after.remove_image(record.number);
        self.findings_replace(&before, &after).await?;
        let gone = self
            .execute(
                include_str!("image/remove.sql"),
                &[&image.as_bytes().as_slice(), &Ts(self.now())],
            )
            .await?;
        expect_one(gone, "the image")?;
        // What comes back is evaluated anew, whatever was owed to it.
        self.debts_remove(&[image]).await?;
        let change = NewChange {
            subject: image.to_string(),
            before: Some(record.sbom),
            after: None,
        };
        self.changes_write(ChangeKind::Image, None, &[change])
            .await?;
        self.event_write(EventType::ImageRemoved, None, Some(&image.to_string()))
            .await?;
        Ok(Some(record))
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
            .query(include_str!("image/unevaluated.sql"), &[&images])
            .await?;
        rows.iter()
            .map(|row| digest(row.get("digest"), "image.digest"))
            .collect()
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
