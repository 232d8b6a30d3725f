//! VEX documents: their statements, each version kept by content.

use jobengine_domain::digest::Digest;
use jobengine_domain::id::SourceId;
use jobengine_domain::time::Timestamp;
use jobengine_impact::vex::Statement;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::caller::Tx;
use crate::change::{ChangeKind, NewChange};
use crate::document::NewDocument;
use crate::error::StoreError;
use crate::job::digest;
use crate::ts::Ts;

/// A VEX document that stands now.
#[derive(Debug, Clone)]
pub struct VexRecord {
    /// Where it came from.
    pub source: SourceId,
    /// Its id within the source.
    pub document: String,
    /// Digest of its statements.
    pub digest: Digest,
}

/// A VEX document with where it came from and when this version did.
#[derive(Debug, Clone)]
pub struct VexEntry {
    /// Where it stands.
    pub record: VexRecord,
    /// The source's name.
    pub source: String,
    /// When this version came first.
    pub created_at: Timestamp,
}

/// Which VEX documents a list shows. `None`: any.
#[derive(Debug, Clone, Default)]
pub struct VexFilter {
    /// Of the source of this name.
    pub source: Option<String>,
    /// With this id.
    pub document: Option<String>,
}

impl Tx {
    /// Reads a page of the VEX documents that stand now, by source and id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn vex_page(
        &self,
        filter: &VexFilter,
        after: Option<(SourceId, &str)>,
        limit: u32,
    ) -> Result<Vec<VexEntry>, StoreError> {
        let (source, document) =
            after.map_or((Uuid::nil(), ""), |(source, document)| (source.0, document));
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 5] = [
            &source,
            &document,
            &i64::from(limit),
            &filter.source,
            &filter.document,
        ];
        let rows = self.query(include_str!("vex/page.sql"), &params).await?;
        rows.iter()
            .map(|row| {
                Ok(VexEntry {
                    record: vex_record(row)?,
                    source: row.get("source"),
                    created_at: row.get::<_, Ts>("created_at").0,
                })
            })
            .collect()
    }

    /// Makes these the statements of a document; tells whether that changed anything.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn vex_put(
        &self,
        source: SourceId,
        document: &str,
        statements: &[Statement],
    ) -> Result<bool, StoreError> {
        let facts = NewDocument::of_facts(&statements)?;
        let before = self
            .vex_list(Some((source, document)))
            .await?
            .first()
            .map(|standing| standing.digest);
        if before == Some(facts.digest) {
            return Ok(false);
        }
        let after = facts.digest;
        self.documents_put("vex", &[facts]).await?;
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 4] = [
            &self.tenant().0,
            &source.0,
            &document,
            &after.as_bytes().as_slice(),
        ];
        self.execute(include_str!("vex/put.sql"), &params).await?;
        let change = NewChange {
            subject: document.to_owned(),
            before,
            after: Some(after),
        };
        self.changes_write(ChangeKind::Vex, Some(source), &[change])
            .await?;
        Ok(true)
    }

    /// The VEX documents that stand now: all of them, or one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn vex_list(
        &self,
        only: Option<(SourceId, &str)>,
    ) -> Result<Vec<VexRecord>, StoreError> {
        let (source, document) = (
            only.map(|(source, _)| source.0),
            only.map(|(_, document)| document),
        );
        let rows = self
            .query(include_str!("vex/current.sql"), &[&source, &document])
            .await?;
        rows.iter().map(vex_record).collect()
    }

    /// The statements of some versions of documents, in the order of their digests.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn vex_get(&self, versions: &[Digest]) -> Result<Vec<Statement>, StoreError> {
        let documents = self.facts_get::<Vec<Statement>>(versions).await?;
        Ok(documents.into_values().flatten().collect())
    }
}

fn vex_record(row: &Row) -> Result<VexRecord, StoreError> {
    Ok(VexRecord {
        source: SourceId(row.get("source_id")),
        document: row.get("document_id"),
        digest: digest(row.get("digest"), "vex.digest")?,
    })
}
