//! Tenants and their shares.

use jobengine_domain::caller::Caller;
use jobengine_domain::id::TenantId;
use jobengine_domain::priority::{Priority, VirtualTime};

use crate::caller::Tx;
use crate::connect::Store;
use crate::error::StoreError;
use crate::ticket::signed;
use crate::ts::Ts;

impl Store {
    /// Makes a tenant, unless it is there already. `weight` is its share among tenants, 1 to 1000.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tenant_create(
        &self,
        tenant: TenantId,
        name: &str,
        weight: u32,
    ) -> Result<(), StoreError> {
        let tx = self.begin(&Caller::system(tenant)).await?;
        tx.execute(
            include_str!("tenant/create.sql"),
            &[&tenant.0, &name, &signed(weight), &Ts(tx.now())],
        )
        .await?;
        tx.commit().await
    }
}

impl Tx {
    /// Gives out the sort keys of some jobs and moves the tenant's virtual time. The first lock of a
    /// transaction that submits.
    pub(crate) async fn sort_keys(&self, bands: &[Priority]) -> Result<Vec<i64>, StoreError> {
        let row = self
            .query_opt(include_str!("tenant/clock_lock.sql"), &[])
            .await?
            .ok_or(StoreError::Missing("the tenant"))?;
        let weight: i32 = row.get("weight");
        let time = VirtualTime(row.get("virtual_us"));
        let (keys, VirtualTime(ahead)) = time.advance(self.now(), weight.unsigned_abs(), bands);
        self.execute(include_str!("tenant/clock_set.sql"), &[&ahead])
            .await?;
        Ok(keys)
    }
}
