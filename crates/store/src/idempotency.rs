//! Forgetting the answers of keyed requests whose window is over.

use jobengine_domain::id::TenantId;

use crate::caller::Tx;
use crate::connect::Store;
use crate::error::StoreError;
use crate::ts::Ts;

impl Tx {
    /// Forgets up to `limit` answers that no longer count; tells how many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn idempotency_expire(&self, limit: u32) -> Result<usize, StoreError> {
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 2] =
            [&Ts(self.now()), &i64::from(limit)];
        let rows = self
            .execute(include_str!("idempotency/expired.sql"), &params)
            .await?;
        Ok(usize::try_from(rows).unwrap_or(usize::MAX))
    }
}

impl Store {
    /// Tenants with answers that no longer count.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tenants_with_expired_answers(&self) -> Result<Vec<TenantId>, StoreError> {
        let rows = self
            .sched()
            .await?
            .query(include_str!("idempotency/tenants.sql"), &[])
            .await?;
        Ok(rows
            .iter()
            .map(|row| TenantId(row.get("tenant_id")))
            .collect())
    }
}
