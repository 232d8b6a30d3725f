//! Refusals: records of a source that could not be read, in whole or in part, kept for whoever looks after it.

use jobengine_domain::digest::Digest;
use jobengine_domain::id::SourceId;
use jobengine_domain::time::Timestamp;
use jobengine_impact::refusal::{Listed, Seen, list_change};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::caller::Tx;
use crate::error::StoreError;
use crate::job::digest;
use crate::ticket::{signed, unsigned};
use crate::ts::Ts;

/// What a record would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// An advisory.
    Advisory,
    /// The catalogue of known exploited vulnerabilities.
    Kev,
    /// A VEX document.
    Vex,
}

impl RefusalKind {
    /// `advisory`, `kev` or `vex`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Advisory => "advisory",
            Self::Kev => "kev",
            Self::Vex => "vex",
        }
    }
}

/// What it means that a record could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalEffect {
    /// Nothing of it counts; what was stored under its id stays.
    Refused,
    /// What can be read counts.
    Partial,
}

impl RefusalEffect {
    /// `refused` or `partial`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Partial => "partial",
        }
    }
}

/// A record that could not be read.
#[derive(Debug, Clone)]
pub struct NewRefusal {
    /// Its id, or the digest of its bytes where no id can be read.
    pub record: String,
    /// Whether `record` is an id.
    pub named: bool,
    /// What it means.
    pub effect: RefusalEffect,
    /// The code of the first problem.
    pub code: &'static str,
    /// Where the first problem is.
    pub place: String,
    /// The first problem, for people.
    pub detail: String,
    /// How many problems the record has.
    pub problems: u32,
    /// SHA-256 of the record as it came.
    pub digest: Digest,
}

/// A refusal that stands.
#[derive(Debug, Clone)]
pub struct RefusalRecord {
    /// Where the record came from.
    pub source: SourceId,
    /// The source's name.
    pub source_name: String,
    /// `advisory`, `kev` or `vex`.
    pub kind: String,
    /// The record's id, or the digest of its bytes.
    pub record: String,
    /// Whether `record` is an id.
    pub named: bool,
    /// `refused` or `partial`.
    pub effect: String,
    /// The code of the first problem.
    pub code: String,
    /// Where in the upload the first problem is.
    pub place: String,
    /// The first problem, for people.
    pub detail: String,
    /// How many problems the record has.
    pub problems: u32,
    /// SHA-256 of the record as it came.
    pub digest: Digest,
    /// When it came first in exactly this form.
    pub first_seen_at: Timestamp,
    /// When it came last.
    pub last_seen_at: Timestamp,
}

/// Which refusals a list shows. `None`: any.
#[derive(Debug, Clone, Default)]
pub struct RefusalFilter {
    /// Of this source.
    pub source: Option<SourceId>,
    /// Of this kind.
    pub kind: Option<RefusalKind>,
    /// With this effect.
    pub effect: Option<RefusalEffect>,
}

impl Tx {
    /// Takes note of what could not be read in an upload of one source, sorted by record and each once, and
    /// forgets the refusals that no longer hold ([`list_change`]).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn refusals_put(
        &self,
        source: SourceId,
        kind: RefusalKind,
        seen: Seen<'_>,
        refusals: &[NewRefusal],
    ) -> Result<(), StoreError> {
        let kind = kind.as_str();
        let rows = self
            .query(include_str!("refusal/standing.sql"), &[&source.0, &kind])
            .await?;
        let listed: Vec<Listed> = rows
            .iter()
            .map(|row| Listed {
                record: row.get("record"),
                named: row.get("named"),
                last_seen_at: row.get::<_, Ts>("last_seen_at").0,
            })
            .collect();
        let unreadable: Vec<&str> = refusals.iter().map(|it| it.record.as_str()).collect();
        let change = list_change(&listed, seen, &unreadable, self.now());
        if !change.gone.is_empty() {
            self.execute(
                include_str!("refusal/remove.sql"),
                &[&source.0, &kind, &change.gone],
            )
            .await?;
        }
        if change.taken > 0 {
            self.refusals_write(source, kind, &refusals[..change.taken])
                .await?;
        }
        let is_all = matches!(seen, Seen::All);
        if change.dropped > 0 || is_all {
            let dropped = i64::try_from(change.dropped).unwrap_or(i64::MAX);
            self.execute(
                include_str!("refusal/dropped.sql"),
                &[&source.0, &dropped, &is_all],
            )
            .await?;
        }
        Ok(())
    }

    async fn refusals_write(
        &self,
        source: SourceId,
        kind: &str,
        refusals: &[NewRefusal],
    ) -> Result<(), StoreError> {
        let text = |of: fn(&NewRefusal) -> &str| refusals.iter().map(of).collect::<Vec<&str>>();
        let named: Vec<bool> = refusals.iter().map(|it| it.named).collect();
        let problems: Vec<i32> = refusals.iter().map(|it| signed(it.problems)).collect();
        let digests: Vec<&[u8]> = refusals
            .iter()
            .map(|it| it.digest.as_bytes().as_slice())
            .collect();
        let params: [&(dyn ToSql + Sync); 12] = [
            &self.tenant().0,
            &source.0,
            &kind,
            &text(|it| &it.record),
            &named,
            &text(|it| it.effect.as_str()),
            &text(|it| it.code),
            &text(|it| &it.place),
            &text(|it| &it.detail),
            &problems,
            &digests,
            &Ts(self.now()),
        ];
        self.execute(include_str!("refusal/put.sql"), &params)
            .await?;
        Ok(())
    }

    /// Reads a page of refusals, by source, kind and record, after one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn refusal_list(
        &self,
        filter: &RefusalFilter,
        after: Option<(SourceId, &str, &str)>,
        limit: u32,
    ) -> Result<Vec<RefusalRecord>, StoreError> {
        let first = filter.source.map_or(Uuid::nil(), |source| source.0);
        let last = filter.source.map_or(Uuid::max(), |source| source.0);
        let (source, kind, record) = after.map_or((first, "", ""), |(source, kind, record)| {
            (source.0, kind, record)
        });
        let params: [&(dyn ToSql + Sync); 7] = [
            &source,
            &kind,
            &record,
            &last,
            &filter.kind.map(RefusalKind::as_str),
            &filter.effect.map(RefusalEffect::as_str),
            &i64::from(limit),
        ];
        let rows = self
            .query(include_str!("refusal/list.sql"), &params)
            .await?;
        rows.iter().map(refusal_record).collect()
    }

    /// What could not be read of the record of this id when it came last, one entry a source.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn refusals_of_record(
        &self,
        kind: RefusalKind,
        record: &str,
    ) -> Result<Vec<RefusalRecord>, StoreError> {
        let rows = self
            .query(
                include_str!("refusal/of_record.sql"),
                &[&kind.as_str(), &record],
            )
            .await?;
        rows.iter().map(refusal_record).collect()
    }

    /// How many records could not be listed, because their source has too many: of one source or of all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn refusals_dropped(&self, source: Option<SourceId>) -> Result<u64, StoreError> {
        let source = source.map(|source| source.0);
        let row = self
            .query_one(include_str!("refusal/dropped_sum.sql"), &[&source])
            .await?;
        Ok(row.get::<_, i64>("dropped").unsigned_abs())
    }
}

fn refusal_record(row: &Row) -> Result<RefusalRecord, StoreError> {
    Ok(RefusalRecord {
        source: SourceId(row.get("source_id")),
        source_name: row.get("source"),
        kind: row.get("kind"),
        record: row.get("record"),
        named: row.get("named"),
        effect: row.get("effect"),
        code: row.get("code"),
        place: row.get("place"),
        detail: row.get("detail"),
        problems: unsigned(row.get("problems"), "refusal.problems")?,
        digest: digest(row.get("digest"), "refusal.digest")?,
        first_seen_at: row.get::<_, Ts>("first_seen_at").0,
        last_seen_at: row.get::<_, Ts>("last_seen_at").0,
    })
}
