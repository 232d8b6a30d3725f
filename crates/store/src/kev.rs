//! The catalogue of known exploited vulnerabilities, each version kept by content.

use jobengine_domain::digest::Digest;
use jobengine_impact::kev::KevCatalogue;

use crate::caller::Tx;
use crate::change::{ChangeKind, NewChange};
use crate::document::NewDocument;
use crate::error::StoreError;
use crate::job::digest;
use crate::ts::Ts;

impl Tx {
    /// Makes this the catalogue that stands; returns the one before. An equal one changes nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn kev_put(&self, catalogue: &KevCatalogue) -> Result<KevCatalogue, StoreError> {
        let document = NewDocument::of_facts(catalogue)?;
        let before = self.kev_digest().await?;
        let standing = self.kev_get(before).await?;
        if before != Some(document.digest) {
            let after = document.digest;
            self.documents_put("kev", &[document]).await?;
            let params: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [
                &self.tenant().0,
                &after.as_bytes().as_slice(),
                &Ts(self.now()),
            ];
            self.execute(include_str!("kev/put.sql"), &params).await?;
            let change = NewChange {
                subject: "catalogue".to_owned(),
                before,
                after: Some(after),
            };
            self.changes_write(ChangeKind::Kev, None, &[change]).await?;
        }
        Ok(standing)
    }

    /// The digest of the catalogue that stands; `None` before the first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn kev_digest(&self) -> Result<Option<Digest>, StoreError> {
        let row = self.query_opt(include_str!("kev/current.sql"), &[]).await?;
        row.map(|row| digest(row.get("digest"), "kev.digest"))
            .transpose()
    }

    /// Reads a version of the catalogue; without a digest the empty one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn kev_get(&self, version: Option<Digest>) -> Result<KevCatalogue, StoreError> {
        let Some(version) = version else {
            return Ok(KevCatalogue::default());
        };
        let mut found = self.facts_get(&[version]).await?;
        found.remove(&version).ok_or(StoreError::Corrupt {
            place: "kev.digest",
        })
    }
}
