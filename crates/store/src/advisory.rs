//! Advisories: stored by content, linked to packages and flaws, their changes written to the stream.

use std::collections::{BTreeMap, BTreeSet};

use jobengine_domain::digest::Digest;
use jobengine_domain::id::SourceId;
use jobengine_domain::time::Timestamp;
use jobengine_impact::advisory::Advisory;
use jobengine_impact::group::group_of;
use jobengine_impact::package::PackageKey;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::caller::Tx;
use crate::change::{ChangeKind, NewChange};
use crate::document::NewDocument;
use crate::error::StoreError;
use crate::job::digest;
use crate::ts::Ts;

/// How an upload of advisories is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intake {
    /// It is all there is: what is not in it is gone.
    Snapshot,
    /// It is what changed.
    Delta,
}

/// What became of an upload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AdvisoriesStored {
    /// Records that were not there before.
    pub added: usize,
    /// Records whose facts differ from before.
    pub changed: usize,
    /// Records that are gone.
    pub removed: usize,
    /// Records that stand as before.
    pub unchanged: usize,
}

/// An advisory that stands now.
#[derive(Debug, Clone)]
pub struct AdvisoryRecord {
    /// Where it came from.
    pub source: SourceId,
    /// The source's name.
    pub source_name: String,
    /// Its id within the source.
    pub id: String,
    /// Digest of its facts.
    pub digest: Digest,
    /// What its flaw is called in findings.
    pub group: String,
    /// When it was last changed, as its source says.
    pub modified: String,
    /// When it was last changed here.
    pub changed_at: Timestamp,
}

/// Which advisories a list shows. `None`: any.
#[derive(Debug, Clone, Default)]
pub struct AdvisoryFilter {
    /// Of the source of this name.
    pub source: Option<String>,
    /// That speak of this package.
    pub package: Option<PackageKey>,
    /// That know a flaw under this name.
    pub flaw: Option<String>,
}

impl Tx {
    /// Reads a page of the advisories that stand now, by source and id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn advisory_list(
        &self,
        filter: &AdvisoryFilter,
        after: Option<(SourceId, &str)>,
        limit: u32,
    ) -> Result<Vec<AdvisoryRecord>, StoreError> {
        let (source, id) = after.map_or((Uuid::nil(), ""), |(source, id)| (source.0, id));
        let package = filter.package.as_ref().map(ToString::to_string);
        let params: [&(dyn ToSql + Sync); 6] = [
            &source,
            &id,
            &i64::from(limit),
            &filter.source,
            &package,
            &filter.flaw,
        ];
        let rows = self
            .query(include_str!("advisory/list.sql"), &params)
            .await?;
        rows.iter().map(advisory_record).collect()
    }

    /// What stands now under an id, one entry a source that has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn advisory_find(&self, id: &str) -> Result<Vec<AdvisoryRecord>, StoreError> {
        let rows = self
            .query(include_str!("advisory/find.sql"), &[&id])
            .await?;
        rows.iter().map(advisory_record).collect()
    }

    /// Takes an upload of advisories of one source, each id once. Uploads of one source follow each other, so that each
    /// change starts from what the one before has left, also of records that are new.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn advisories_put(
        &self,
        source: SourceId,
        intake: Intake,
        advisories: &[Advisory],
    ) -> Result<AdvisoriesStored, StoreError> {
        self.query_one(include_str!("advisory/turn.sql"), &[&source.0])
            .await?;
        let mut standing = self.standing(source, intake, advisories).await?;
        let mut stored = AdvisoriesStored::default();
        let (mut documents, mut fresh, mut changes) = (Vec::new(), Vec::new(), Vec::new());
        for advisory in advisories {
            let document = NewDocument::of_facts(advisory)?;
            let before = standing.remove(&advisory.id);
            if before == Some(document.digest) {
                stored.unchanged += 1;
                continue;
            }
            stored.added += usize::from(before.is_none());
            stored.changed += usize::from(before.is_some());
            changes.push(NewChange {
                subject: advisory.id.clone(),
                before,
                after: Some(document.digest),
            });
            fresh.push((advisory, document.digest));
            documents.push(document);
        }
        if intake == Intake::Snapshot {
            stored.removed = standing.len();
            let gone: Vec<&str> = standing.keys().map(String::as_str).collect();
            self.execute(include_str!("advisory/unlink.sql"), &[&source.0, &gone])
                .await?;
            self.execute(include_str!("advisory/remove.sql"), &[&source.0, &gone])
                .await?;
            let removals = standing.iter();
            changes.extend(removals.map(|(id, was)| NewChange {
                subject: id.clone(),
                before: Some(*was),
                after: None,
            }));
        }
        self.documents_put("advisory", &documents).await?;
        self.advisories_write(source, &fresh).await?;
        self.changes_write(ChangeKind::Advisory, Some(source), &changes)
            .await?;
        Ok(stored)
    }

    async fn standing(
        &self,
        source: SourceId,
        intake: Intake,
        advisories: &[Advisory],
    ) -> Result<BTreeMap<String, Digest>, StoreError> {
        let named: Option<Vec<&str>> = (intake == Intake::Delta).then(|| {
            advisories
                .iter()
                .map(|advisory| advisory.id.as_str())
                .collect()
        });
        let rows = self
            .query(include_str!("advisory/current.sql"), &[&source.0, &named])
            .await?;
        rows.iter()
            .map(|row| {
                Ok((
                    row.get("advisory_id"),
                    digest(row.get("digest"), "advisory.digest")?,
                ))
            })
            .collect()
    }

    async fn advisories_write(
        &self,
        source: SourceId,
        fresh: &[(&Advisory, Digest)],
    ) -> Result<(), StoreError> {
        if fresh.is_empty() {
            return Ok(());
        }
        let ids: Vec<&str> = fresh
            .iter()
            .map(|(advisory, _)| advisory.id.as_str())
            .collect();
        let digests: Vec<&[u8]> = fresh
            .iter()
            .map(|(_, digest)| digest.as_bytes().as_slice())
            .collect();
        let groups: Vec<String> = fresh
            .iter()
            .map(|(advisory, _)| group_of(advisory))
            .collect();
        let modified: Vec<&str> = fresh
            .iter()
            .map(|(advisory, _)| advisory.modified.as_str())
            .collect();
        let tenant = self.tenant().0;
        let now = Ts(self.now());
        let row: [&(dyn ToSql + Sync); 7] =
            [&tenant, &source.0, &ids, &digests, &groups, &modified, &now];
        self.execute(include_str!("advisory/put.sql"), &row).await?;
        self.execute(include_str!("advisory/unlink.sql"), &[&source.0, &ids])
            .await?;
        let (mut of_package, mut packages) = (Vec::new(), Vec::new());
        let (mut of_flaw, mut flaws) = (Vec::new(), Vec::new());
        for (advisory, _) in fresh {
            for package in package_keys(advisory) {
                of_package.push(advisory.id.as_str());
                packages.push(package);
            }
            let names: BTreeSet<&str> = std::iter::once(&advisory.id)
                .chain(&advisory.aliases)
                .chain(&advisory.upstream)
                .map(String::as_str)
                .collect();
            of_flaw.extend(names.iter().map(|_| advisory.id.as_str()));
            flaws.extend(names);
        }
        let links: [&(dyn ToSql + Sync); 6] =
            [&tenant, &source.0, &of_package, &packages, &of_flaw, &flaws];
        self.execute(include_str!("advisory/link.sql"), &links)
            .await?;
        Ok(())
    }

    /// Reads advisories by the digests of their facts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn advisories_get(
        &self,
        digests: &[Digest],
    ) -> Result<BTreeMap<Digest, Advisory>, StoreError> {
        self.facts_get(digests).await
    }

    /// The advisories that stand now and know a flaw under one of these names.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn advisories_by_flaw(
        &self,
        names: &BTreeSet<String>,
    ) -> Result<BTreeMap<Digest, Advisory>, StoreError> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let rows = self
            .query(include_str!("advisory/by_flaw.sql"), &[&names])
            .await?;
        let digests: Vec<Digest> = rows
            .iter()
            .map(|row| digest(row.get("digest"), "advisory.digest"))
            .collect::<Result<_, _>>()?;
        self.advisories_get(&digests).await
    }

    /// The advisories of one source that stand now under these ids, and go on standing until this
    /// transaction ends.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn advisories_standing(
        &self,
        source: SourceId,
        ids: &[&str],
    ) -> Result<Vec<Advisory>, StoreError> {
        let rows = self
            .query(
                include_str!("advisory/current.sql"),
                &[&source.0, &Some(ids)],
            )
            .await?;
        self.advisories_of(&rows).await
    }

    /// The same for who only looks: it locks nothing, so that a transaction that may not write can ask.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn advisories_seen(
        &self,
        source: SourceId,
        ids: &[&str],
    ) -> Result<Vec<Advisory>, StoreError> {
        let rows = self
            .query(include_str!("advisory/seen.sql"), &[&source.0, &ids])
            .await?;
        self.advisories_of(&rows).await
    }

    async fn advisories_of(&self, rows: &[Row]) -> Result<Vec<Advisory>, StoreError> {
        let digests: Vec<Digest> = rows
            .iter()
            .map(|row| digest(row.get("digest"), "advisory.digest"))
            .collect::<Result<_, _>>()?;
        Ok(self.advisories_get(&digests).await?.into_values().collect())
    }
}

fn advisory_record(row: &Row) -> Result<AdvisoryRecord, StoreError> {
    Ok(AdvisoryRecord {
        source: SourceId(row.get("source_id")),
        source_name: row.get("source"),
        id: row.get("advisory_id"),
        digest: digest(row.get("digest"), "advisory.digest")?,
        group: row.get("group_key"),
        modified: row.get("modified"),
        changed_at: row.get::<_, Ts>("changed_at").0,
    })
}

/// The packages an advisory speaks of, each once, in their wire form.
pub(crate) fn package_keys(advisory: &Advisory) -> BTreeSet<String> {
    advisory
        .affected
        .iter()
        .map(|entry| entry.package.to_string())
        .collect()
}
