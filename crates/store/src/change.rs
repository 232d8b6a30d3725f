//! The change stream: every change of inventory or knowledge, read in commit order.

use std::collections::BTreeSet;

use jobengine_domain::digest::Digest;
use jobengine_domain::id::{SourceId, TenantId};
use jobengine_domain::stream::Place;
use jobengine_domain::time::Timestamp;
use jobengine_domain::trace::TraceContext;
use uuid::Uuid;

use crate::caller::Tx;
use crate::connect::Store;
use crate::draw::draw_many;
use crate::error::{StoreError, expect_one};
use crate::job::digest;
use crate::ts::Ts;

/// One change.
#[derive(Debug, Clone)]
pub struct Change {
    /// Where it stands in the stream.
    pub place: Place,
    /// What changed.
    pub kind: ChangeKind,
    /// Where the news came from.
    pub source: Option<SourceId>,
    /// Image digest, advisory id, `catalogue` or VEX document id.
    pub subject: String,
    /// The document before.
    pub before: Option<Digest>,
    /// The document after.
    pub after: Option<Digest>,
    /// The request that brought it, as a span of its trace.
    pub trace: Option<TraceContext>,
    /// When it was written.
    pub created_at: Timestamp,
}

/// What kind of thing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// An image is new, or its SBOM or names are.
    Image,
    /// An advisory.
    Advisory,
    /// The catalogue of known exploited vulnerabilities.
    Kev,
    /// A VEX document.
    Vex,
}

impl ChangeKind {
    /// The column spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Advisory => "advisory",
            Self::Kev => "kev",
            Self::Vex => "vex",
        }
    }

    fn parse(text: &str) -> Result<Self, StoreError> {
        [Self::Image, Self::Advisory, Self::Kev, Self::Vex]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(StoreError::Corrupt {
                place: "change.kind",
            })
    }
}

/// A change to be written.
#[derive(Debug, Clone)]
pub(crate) struct NewChange {
    pub subject: String,
    pub before: Option<Digest>,
    pub after: Option<Digest>,
}

impl Tx {
    pub(crate) async fn changes_write(
        &self,
        kind: ChangeKind,
        source: Option<SourceId>,
        changes: &[NewChange],
    ) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let bytes = |of: fn(&NewChange) -> Option<&Digest>| -> Vec<Option<&[u8]>> {
            changes
                .iter()
                .map(|change| of(change).map(|digest| digest.as_bytes().as_slice()))
                .collect()
        };
        self.execute(
            include_str!("change/write.sql"),
            &[
                &self.tenant().0,
                &kind.as_str(),
                &source.map(|source| source.0),
                &draw_many::<Uuid>(self.now(), changes.len()),
                &changes
                    .iter()
                    .map(|change| change.subject.as_str())
                    .collect::<Vec<_>>(),
                &bytes(|change| change.before.as_ref()),
                &bytes(|change| change.after.as_ref()),
                &Ts(self.now()),
                &self.cause().map(|cause| cause.to_string()),
            ],
        )
        .await?;
        Ok(())
    }

    /// How far a reader has come.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn cursor_get(&self, stream: &str) -> Result<Place, StoreError> {
        let find = include_str!("change/cursor_get.sql");
        if let Some(row) = self.query_opt(find, &[&stream]).await? {
            return place(&row);
        }
        let ensure = include_str!("change/cursor_ensure.sql");
        self.execute(ensure, &[&self.tenant().0, &stream]).await?;
        // Also where another one made it meanwhile.
        place(&self.query_one(find, &[&stream]).await?)
    }

    /// The next changes after a place, at most `limit`, in commit order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn changes_page(&self, after: &Place, limit: u32) -> Result<Vec<Change>, StoreError> {
        let rows = self
            .query(
                include_str!("change/page.sql"),
                &[&after.txid.to_string(), &after.row, &i64::from(limit)],
            )
            .await?;
        let bytes = |row: &tokio_postgres::Row, column: &str| {
            row.get::<_, Option<&[u8]>>(column)
                .map(|bytes| digest(bytes, "change.after"))
                .transpose()
        };
        rows.iter()
            .map(|row| {
                Ok(Change {
                    place: place(row)?,
                    kind: ChangeKind::parse(row.get("kind"))?,
                    source: row.get::<_, Option<Uuid>>("source_id").map(SourceId),
                    subject: row.get("subject"),
                    before: bytes(row, "before")?,
                    after: bytes(row, "after")?,
                    trace: crate::trace::context(row.get("traceparent")),
                    created_at: row.get::<_, Ts>("created_at").0,
                })
            })
            .collect()
    }

    /// How many changes a reader has not seen, and when the oldest of them was written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn changes_pending(
        &self,
        stream: &str,
    ) -> Result<(u64, Option<Timestamp>), StoreError> {
        let row = self
            .query_one(include_str!("change/pending.sql"), &[&stream])
            .await?;
        let oldest: Option<Ts> = row.get("oldest");
        Ok((
            row.get::<_, i64>("pending").unsigned_abs(),
            oldest.map(|Ts(at)| at),
        ))
    }

    /// Moves a reader on, when nobody else has moved it since it was read.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when somebody has.
    pub async fn cursor_move(
        &self,
        stream: &str,
        from: &Place,
        to: &Place,
    ) -> Result<(), StoreError> {
        let moved = self
            .execute(
                include_str!("change/cursor_move.sql"),
                &[
                    &stream,
                    &from.txid.to_string(),
                    &from.row,
                    &to.txid.to_string(),
                    &to.row,
                ],
            )
            .await?;
        expect_one(moved, "the cursor")
    }
}

/// Changes looked at in one search for news.
const NEWS_MAX: usize = 10_000;

/// Whose changes are new.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeNews {
    /// The tenants.
    pub tenants: BTreeSet<TenantId>,
    /// Everything placed below this number was looked at: where the next search starts.
    pub reached: u64,
    /// Whether there is more to look at.
    pub more: bool,
}

impl Store {
    /// Tenants with changes placed at `from` or later. Its cost is that of the changes since, not of history or
    /// tenants. A wake-up, not the truth: [`Store::tenants_changed`] tells what a reader has not seen.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn changes_news(&self, from: u64) -> Result<ChangeNews, StoreError> {
        // Before the search: what is committed later is found by the next one.
        let horizon = self.events_horizon().await?;
        let limit = i64::try_from(NEWS_MAX).expect("a small number");
        let rows = self
            .sched()
            .await?
            .query(
                include_str!("change/news.sql"),
                &[&from.to_string(), &limit],
            )
            .await?;
        let more = rows.len() >= NEWS_MAX;
        let last = rows.last().map(|row| crate::event::number(row.get("txid")));
        let reached = match last.transpose()? {
            // One transaction may have more changes than are looked at: those of it are looked at again, once.
            Some(last) if more => last.max(from + 1),
            _ => horizon.max(from),
        };
        Ok(ChangeNews {
            tenants: rows
                .iter()
                .map(|row| TenantId(row.get("tenant_id")))
                .collect(),
            reached,
            more,
        })
    }

    /// Tenants with changes that a reader of the stream has not seen.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tenants_changed(&self, stream: &str) -> Result<Vec<TenantId>, StoreError> {
        let rows = self
            .sched()
            .await?
            .query(include_str!("change/tenants.sql"), &[&stream])
            .await?;
        Ok(rows
            .iter()
            .map(|row| TenantId(row.get("tenant_id")))
            .collect())
    }
}

fn place(row: &tokio_postgres::Row) -> Result<Place, StoreError> {
    crate::event::place(row.get("txid"), row.get("change_id"))
}
