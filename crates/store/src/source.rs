//! Sources: upstreams that documents come from and jobs work for.

use jobengine_domain::id::SourceId;
use jobengine_domain::time::Timestamp;
use jobengine_domain::upstream::UpstreamUrl;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use crate::caller::Tx;
use crate::draw::draw;
use crate::error::{StoreError, expect_one};
use crate::ts::Ts;

/// What people say of a source and may change. Its name stays: jobs and feeds refer to it.
#[derive(Debug, Clone)]
pub struct SourceFacts {
    /// What it offers: `osv`, `openvex`, `kev`, …
    pub kind: String,
    /// Where it is.
    pub url: Option<UpstreamUrl>,
    /// For people.
    pub description: String,
    /// Whether documents and jobs are taken for it.
    pub enabled: bool,
}

/// A source.
#[derive(Debug, Clone)]
pub struct SourceRecord {
    /// Its id.
    pub id: SourceId,
    /// Its name.
    pub name: String,
    /// What may change.
    pub facts: SourceFacts,
    /// Rises with every change.
    pub version: u64,
    /// Since when it is paused, and why.
    pub paused: Option<(Timestamp, String)>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Which sources a list shows. `None`: any.
#[derive(Debug, Clone, Default)]
pub struct SourceFilter {
    /// Of this kind.
    pub kind: Option<String>,
    /// Paused, or not.
    pub paused: Option<bool>,
}

impl Tx {
    /// The source of this name, made when there is none.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the tenant does not exist.
    pub async fn source_ensure(&self, name: &str) -> Result<SourceId, StoreError> {
        let id: SourceId = draw(self.now());
        let find = include_str!("source/named.sql");
        if let Some(row) = self.query_opt(find, &[&name]).await? {
            return Ok(SourceId(row.get("source_id")));
        }
        self.execute(
            include_str!("source/ensure.sql"),
            &[&self.tenant().0, &id.0, &name, &Ts(self.now())],
        )
        .await
        .map_err(no_tenant)?;
        // Whoever made it, it is there now; only a later statement sees what another has committed meanwhile.
        let row = self.query_opt(find, &[&name]).await?;
        let row = row.ok_or(StoreError::Stale("the source"))?;
        Ok(SourceId(row.get("source_id")))
    }

    /// The source of this name that documents are about to be taken for, made when there is none.
    ///
    /// # Errors
    /// [`StoreError::SourceClosed`] when nothing is taken for it now.
    pub async fn source_take(&self, name: &str) -> Result<SourceId, StoreError> {
        let id = self.source_ensure(name).await?;
        self.sources_check(&[name]).await?;
        Ok(id)
    }

    /// Refuses when one of these sources takes nothing now. Names that no source has are free.
    ///
    /// # Errors
    /// [`StoreError::SourceClosed`].
    pub async fn sources_check(&self, names: &[&str]) -> Result<(), StoreError> {
        if names.is_empty() {
            return Ok(());
        }
        let row = self
            .query_opt(include_str!("source/closed.sql"), &[&names])
            .await?;
        match row {
            None => Ok(()),
            Some(row) => Err(StoreError::SourceClosed {
                name: row.get("name"),
                paused: row.get("paused"),
            }),
        }
    }

    /// The source of this name, if there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn source_find(&self, name: &str) -> Result<Option<SourceId>, StoreError> {
        let row = self
            .query_opt(include_str!("source/find.sql"), &[&name])
            .await?;
        Ok(row.map(|row| SourceId(row.get("source_id"))))
    }

    /// Reads a page of sources after the one called `after`, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn source_list(
        &self,
        filter: &SourceFilter,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<SourceRecord>, StoreError> {
        let after = after.unwrap_or_default();
        let params: [&(dyn ToSql + Sync); 4] =
            [&after, &i64::from(limit), &filter.kind, &filter.paused];
        let rows = self.query(include_str!("source/list.sql"), &params).await?;
        rows.iter().map(source_record).collect()
    }

    /// Reads one source; `None` when this tenant has none of that id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn source_get(&self, id: SourceId) -> Result<Option<SourceRecord>, StoreError> {
        let row = self
            .query_opt(include_str!("source/get.sql"), &[&id.0])
            .await?;
        row.as_ref().map(source_record).transpose()
    }

    /// Makes a source; `None` when the name is taken.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the tenant does not exist.
    pub async fn source_create(
        &self,
        name: &str,
        facts: &SourceFacts,
    ) -> Result<Option<SourceId>, StoreError> {
        let id: SourceId = draw(self.now());
        let params: [&(dyn ToSql + Sync); 9] = [
            &self.tenant().0,
            &id.0,
            &name,
            &facts.kind,
            &facts.url.as_ref().map(UpstreamUrl::as_str),
            &facts.url.as_ref().map(UpstreamUrl::host),
            &facts.description,
            &facts.enabled,
            &Ts(self.now()),
        ];
        let made = self
            .execute(include_str!("source/insert.sql"), &params)
            .await
            .map_err(no_tenant)?;
        Ok((made == 1).then_some(id))
    }

    /// Changes what is said of a source.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it is another version by now.
    pub async fn source_update(
        &self,
        id: SourceId,
        version: u64,
        facts: &SourceFacts,
    ) -> Result<(), StoreError> {
        let params: [&(dyn ToSql + Sync); 7] = [
            &id.0,
            &version.cast_signed(),
            &facts.kind,
            &facts.url.as_ref().map(UpstreamUrl::as_str),
            &facts.url.as_ref().map(UpstreamUrl::host),
            &facts.description,
            &facts.enabled,
        ];
        let changed = self
            .execute(include_str!("source/update.sql"), &params)
            .await?;
        expect_one(changed, "the source")
    }

    /// Whether advisories or VEX documents that stand came from a source.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn source_used(&self, id: SourceId) -> Result<bool, StoreError> {
        let row = self
            .query_one(include_str!("source/used.sql"), &[&id.0])
            .await?;
        Ok(row.get("used"))
    }

    /// Removes a source that nothing came from.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it is another version by now, holds jobs, or something came from it.
    pub async fn source_delete(&self, id: SourceId, version: u64) -> Result<(), StoreError> {
        let gone = self
            .execute(
                include_str!("source/delete.sql"),
                &[&id.0, &version.cast_signed()],
            )
            .await;
        match gone {
            Err(StoreError::Refused(error))
                if error.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION) =>
            {
                Err(StoreError::Stale("the source"))
            }
            other => expect_one(other?, "the source"),
        }
    }

    /// Pauses a source: once this is committed, no job of it is granted. Tells whether it was not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn source_pause(&self, id: SourceId, reason: &str) -> Result<bool, StoreError> {
        self.gate_close(self.tenant()).await?;
        let params: [&(dyn ToSql + Sync); 3] = [&id.0, &Ts(self.now()), &reason];
        let paused = self
            .execute(include_str!("source/pause.sql"), &params)
            .await?;
        Ok(paused == 1)
    }

    /// Lets a source go on; its jobs are released afterwards. Tells whether it was paused.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn source_resume(&self, id: SourceId) -> Result<bool, StoreError> {
        let resumed = self
            .execute(include_str!("source/resume.sql"), &[&id.0])
            .await?;
        Ok(resumed == 1)
    }
}

fn source_record(row: &Row) -> Result<SourceRecord, StoreError> {
    let url: Option<&str> = row.get("url");
    let url = url.map(str::parse).transpose();
    let paused_at: Option<Ts> = row.get("paused_at");
    Ok(SourceRecord {
        id: SourceId(row.get("source_id")),
        name: row.get("name"),
        facts: SourceFacts {
            kind: row.get("kind"),
            url: url.map_err(|_| StoreError::Corrupt {
                place: "source.url",
            })?,
            description: row.get("description"),
            enabled: row.get("enabled"),
        },
        version: row.get::<_, i64>("version").unsigned_abs(),
        paused: Option::zip(paused_at.map(|Ts(at)| at), row.get("pause_reason")),
        created_at: row.get::<_, Ts>("created_at").0,
    })
}

/// A source refers to its tenant and to nothing else.
fn no_tenant(error: StoreError) -> StoreError {
    match error {
        StoreError::Refused(error) if error.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION) => {
            StoreError::Missing("the tenant")
        }
        other => other,
    }
}
