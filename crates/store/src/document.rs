//! Documents by content: each version of what came in is stored once.

use std::collections::BTreeMap;

use jobengine_domain::canon::canonical;
use jobengine_domain::digest::Digest;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::caller::Tx;
use crate::error::StoreError;
use crate::job::digest;
use crate::ts::Ts;

/// A document ready to be stored.
#[derive(Debug, Clone)]
pub(crate) struct NewDocument {
    pub digest: Digest,
    pub body: Vec<u8>,
}

impl NewDocument {
    /// Facts read from a foreign document, as canonical JSON.
    pub(crate) fn of_facts(facts: &impl Serialize) -> Result<Self, StoreError> {
        let body = canonical(facts).map_err(|_| StoreError::Corrupt {
            place: "document.body",
        })?;
        Ok(Self {
            digest: Digest::of(&body),
            body,
        })
    }
}

impl Tx {
    pub(crate) async fn documents_put(
        &self,
        kind: &str,
        documents: &[NewDocument],
    ) -> Result<(), StoreError> {
        if documents.is_empty() {
            return Ok(());
        }
        let digests: Vec<&[u8]> = documents
            .iter()
            .map(|document| document.digest.as_bytes().as_slice())
            .collect();
        let bodies: Vec<&[u8]> = documents
            .iter()
            .map(|document| document.body.as_slice())
            .collect();
        self.execute(
            include_str!("document/put.sql"),
            &[&self.tenant().0, &kind, &digests, &bodies, &Ts(self.now())],
        )
        .await?;
        Ok(())
    }

    /// The bytes of a document of some kind: for an SBOM as it came.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn document_body(
        &self,
        kind: &str,
        digest: Digest,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self
            .query_opt(
                include_str!("document/body.sql"),
                &[&digest.as_bytes().as_slice(), &kind],
            )
            .await?;
        Ok(row.map(|row| row.get("body")))
    }

    /// Reads documents whose body is facts.
    pub(crate) async fn facts_get<T: DeserializeOwned>(
        &self,
        digests: &[Digest],
    ) -> Result<BTreeMap<Digest, T>, StoreError> {
        let wanted: Vec<&[u8]> = digests
            .iter()
            .map(|digest| digest.as_bytes().as_slice())
            .collect();
        let rows = self
            .query(include_str!("document/get.sql"), &[&wanted])
            .await?;
        rows.iter()
            .map(|row| {
                let facts =
                    serde_json::from_slice(row.get("body")).map_err(|_| StoreError::Corrupt {
                        place: "document.body",
                    })?;
                Ok((digest(row.get("digest"), "document.digest")?, facts))
            })
            .collect()
    }
}
