//! Revocations: tokens that are refused before they expire.

use jobengine_domain::id::RevocationId;
use jobengine_domain::time::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::caller::Tx;
use crate::draw::draw;
use crate::error::StoreError;
use crate::ts::{Ts, ts};

/// What is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revoked {
    /// Tokens of a principal that were issued up to a moment.
    Subject {
        /// The principal.
        subject: String,
        /// Only what was issued later is believed.
        not_before: Timestamp,
    },
    /// One token.
    Token {
        /// Its `jti`.
        id: String,
    },
}

/// A revocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationRecord {
    /// Its id.
    pub id: RevocationId,
    /// What it refuses.
    pub revoked: Revoked,
    /// Who asked for it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Every token it is about has expired by then, and it is forgotten.
    pub expires_at: Timestamp,
}

impl Tx {
    /// Refuses tokens from now on, and remembers it until `expires_at`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revocation_put(
        &self,
        revoked: Revoked,
        expires_at: Timestamp,
    ) -> Result<RevocationRecord, StoreError> {
        let record = RevocationRecord {
            id: draw(self.now()),
            revoked,
            created_by: self.subject().to_owned(),
            created_at: self.now(),
            expires_at,
        };
        let (subject, not_before, token) = match &record.revoked {
            Revoked::Subject {
                subject,
                not_before,
            } => (Some(subject), Some(*not_before), None),
            Revoked::Token { id } => (None, None, Some(id)),
        };
        self.execute(
            include_str!("revocation/put.sql"),
            &[
                &self.tenant().0,
                &record.id.0,
                &subject,
                &ts(not_before),
                &token,
                &record.created_by,
                &Ts(record.created_at),
                &Ts(record.expires_at),
            ],
        )
        .await?;
        Ok(record)
    }

    /// Takes a revocation back; tells whether there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revocation_remove(&self, id: RevocationId) -> Result<bool, StoreError> {
        let removed = self
            .execute(include_str!("revocation/remove.sql"), &[&id.0])
            .await?;
        Ok(removed > 0)
    }

    /// Forgets the revocations whose tokens have all expired, and counts the others.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revocation_sweep(&self) -> Result<u64, StoreError> {
        let row = self
            .query_one(include_str!("revocation/sweep.sql"), &[&Ts(self.now())])
            .await?;
        Ok(row.get::<_, i64>("standing").unsigned_abs())
    }

    /// Everything that is refused now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revocations_standing(&self) -> Result<Vec<Revoked>, StoreError> {
        let rows = self
            .query(include_str!("revocation/standing.sql"), &[&Ts(self.now())])
            .await?;
        rows.iter().map(revoked).collect()
    }

    /// A page of the revocations that still matter, after one of them, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revocations_page(
        &self,
        after: Option<RevocationId>,
        limit: u32,
    ) -> Result<Vec<RevocationRecord>, StoreError> {
        let after = after.map_or(Uuid::nil(), |id| id.0);
        let rows = self
            .query(
                include_str!("revocation/page.sql"),
                &[&after, &Ts(self.now()), &i64::from(limit)],
            )
            .await?;
        let record = |row: &Row| {
            Ok(RevocationRecord {
                id: RevocationId(row.get("revocation_id")),
                revoked: revoked(row)?,
                created_by: row.get("created_by"),
                created_at: row.get::<_, Ts>("created_at").0,
                expires_at: row.get::<_, Ts>("expires_at").0,
            })
        };
        rows.iter().map(record).collect()
    }
}

fn revoked(row: &Row) -> Result<Revoked, StoreError> {
    let subject: Option<String> = row.get("subject");
    let not_before: Option<Ts> = row.get("not_before");
    let token: Option<String> = row.get("token_id");
    match (subject, not_before, token) {
        (Some(subject), Some(Ts(not_before)), None) => Ok(Revoked::Subject {
            subject,
            not_before,
        }),
        (None, None, Some(id)) => Ok(Revoked::Token { id }),
        _ => Err(StoreError::Corrupt {
            place: "revocation.subject",
        }),
    }
}
