//! VEX documents: their statements, each version kept by content.

use jobengine_domain::digest::Digest;
use jobengine_domain::id::SourceId;
use jobengine_domain::time::Timestamp;
use jobengine_impact::vex::Statement;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::caller::Tx;
use crate::change::{ChangeKind, NewChange};
use crate::document::NewDocument;
use crate::error::{StoreError, expect_one};
use crate::job::digest;
use crate::ts::Ts;

/// A VEX document that stands now.
#[derive(Debug, Clone)]
pub struct VexRecord {
    /// Where it came from.
    pub source: SourceId,
    /// Under which path or URL it is found there: what it is known by.
    pub location: String,
    /// Its own id, which others may carry too.
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

/// What a VEX document says, and under which id.
#[derive(Debug, Clone)]
pub struct VexVersion {
    /// Its own id.
    pub document: String,
    /// Digest of its statements.
    pub digest: Digest,
    /// When this version came first.
    pub created_at: Timestamp,
}

/// What a VEX document did to what stood at its location.
#[derive(Debug, Clone)]
pub struct VexPut {
    /// Whether other statements stand there now.
    pub changed: bool,
    /// What stood there and does no longer.
    pub replaced: Option<VexVersion>,
}

/// Which VEX documents a list shows. `None`: any.
#[derive(Debug, Clone, Default)]
pub struct VexFilter {
    /// Of the source of this name.
    pub source: Option<String>,
    /// With this id of their own.
    pub document: Option<String>,
}

impl Tx {
    /// Reads a page of the VEX documents that stand now, by source and location.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn vex_page(
        &self,
        filter: &VexFilter,
        after: Option<(SourceId, &str)>,
        limit: u32,
    ) -> Result<Vec<VexEntry>, StoreError> {
        let (source, location) =
            after.map_or((Uuid::nil(), ""), |(source, location)| (source.0, location));
        let limit = i64::from(limit);
        let mut params: Vec<&(dyn ToSql + Sync)> = vec![&source, &location, &limit, &filter.source];
        let sql = match &filter.document {
            None => include_str!("vex/page.sql"),
            Some(document) => {
                params.push(document);
                include_str!("vex/of_document.sql")
            }
        };
        let rows = self.query(sql, &params).await?;
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

    /// Makes a document with these statements the one at a location; tells what that changed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn vex_put(
        &self,
        source: SourceId,
        location: &str,
        document: &str,
        statements: &[Statement],
    ) -> Result<VexPut, StoreError> {
        let facts = NewDocument::of_facts(&statements)?;
        let after = facts.digest;
        let mut standing = self.vex_standing(source, location).await?;
        let same = |it: &(String, Digest)| it.0 == document && it.1 == after;
        if standing.as_ref().is_some_and(same) {
            return Ok(VexPut {
                changed: false,
                replaced: None,
            });
        }
        self.documents_put("vex", &[facts]).await?;
        let params: [&(dyn ToSql + Sync); 5] = [
            &self.tenant().0,
            &source.0,
            &location,
            &document,
            &after.as_bytes().as_slice(),
        ];
        let insert = include_str!("vex/insert.sql");
        if standing.is_none() && self.execute(insert, &params).await? == 0 {
            // Somebody was faster, and has committed.
            standing = self.vex_standing(source, location).await?;
        }
        if standing.is_some() {
            let moved = self
                .execute(include_str!("vex/replace.sql"), &params)
                .await?;
            expect_one(moved, "the VEX document")?;
        }
        let before = standing.as_ref().map(|(_, digest)| *digest);
        let replaced = match standing.filter(|it| !same(it)) {
            None => None,
            Some((document, digest)) => Some(self.vex_version(document, digest).await?),
        };
        let put = VexPut {
            changed: before != Some(after),
            replaced,
        };
        if put.changed {
            let change = NewChange {
                subject: location.to_owned(),
                before,
                after: Some(after),
            };
            self.changes_write(ChangeKind::Vex, Some(source), &[change])
                .await?;
        }
        Ok(put)
    }

    /// Id and digest of what stands at a location, and goes on standing until this transaction ends.
    async fn vex_standing(
        &self,
        source: SourceId,
        location: &str,
    ) -> Result<Option<(String, Digest)>, StoreError> {
        let row = self
            .query_opt(include_str!("vex/standing.sql"), &[&source.0, &location])
            .await?;
        let read = |row: Row| Ok((row.get("document_id"), vex_digest(&row)?));
        row.map(read).transpose()
    }

    async fn vex_version(
        &self,
        document: String,
        digest: Digest,
    ) -> Result<VexVersion, StoreError> {
        let row = self
            .query_one(
                include_str!("vex/version_at.sql"),
                &[&digest.as_bytes().as_slice()],
            )
            .await?;
        Ok(VexVersion {
            document,
            digest,
            created_at: row.get::<_, Ts>("created_at").0,
        })
    }

    /// The VEX documents that stand now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn vex_list(&self) -> Result<Vec<VexRecord>, StoreError> {
        let rows = self.query(include_str!("vex/current.sql"), &[]).await?;
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
        location: row.get("location"),
        document: row.get("document_id"),
        digest: vex_digest(row)?,
    })
}

fn vex_digest(row: &Row) -> Result<Digest, StoreError> {
    digest(row.get("digest"), "vex.digest")
}
