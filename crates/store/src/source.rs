//! Sources: upstreams that documents come from.

use jobengine_domain::id::SourceId;
use tokio_postgres::error::SqlState;

use crate::caller::Tx;
use crate::draw::draw;
use crate::error::StoreError;
use crate::ts::Ts;

impl Tx {
    /// The source of this name, made when there is none.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the tenant does not exist.
    pub async fn source_ensure(&self, name: &str) -> Result<SourceId, StoreError> {
        let id: SourceId = draw(self.now());
        let row = self
            .query_one(
                include_str!("source/ensure.sql"),
                &[&self.tenant().0, &id.0, &name, &Ts(self.now())],
            )
            .await
            .map_err(no_tenant)?;
        Ok(SourceId(row.get("source_id")))
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
