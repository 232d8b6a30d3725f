//! Tenants and their shares.

use jobengine_domain::caller::{Caller, Scope};
use jobengine_domain::id::{ProjectId, TenantId};
use jobengine_domain::priority::{Priority, VirtualTime};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use crate::act::{Act, Effect};
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
        tx.tenant_insert(tenant, name, weight).await?;
        tx.commit().await
    }

    /// Makes a tenant by hand, with nothing but the database: its own audit trail begins with that.
    /// Tells whether its id and its name were free.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tenant_create_by_hand(
        &self,
        tenant: TenantId,
        name: &str,
        weight: u32,
    ) -> Result<bool, StoreError> {
        let tx = self.begin(&Caller::system(tenant)).await?;
        let made = match tx.tenant_insert(tenant, name, weight).await {
            Err(StoreError::Refused(error))
                if error.code() == Some(&SqlState::UNIQUE_VIOLATION) =>
            {
                return Ok(false);
            }
            made => made?,
        };
        if made {
            let id = tenant.to_string();
            tx.acts_record(&[Effect {
                act: &by_hand(&id),
                object_kind: "tenant",
                object_id: &id,
                before: None,
                after: None,
                status: 201,
                answer: Vec::new(),
            }])
            .await?;
        }
        tx.commit().await?;
        Ok(made)
    }
}

/// Who makes a tenant by hand: nobody that has a name here.
fn by_hand(id: &str) -> Act {
    Act {
        subject: "system".to_owned(),
        credential: "system".to_owned(),
        operation: "tenant_create".to_owned(),
        scope: Scope::Admin.as_str().to_owned(),
        reason: None,
        ticket: None,
        request_id: id.to_owned(),
        correlation_id: id.to_owned(),
        source: None,
        key: None,
    }
}

impl Tx {
    async fn tenant_insert(
        &self,
        tenant: TenantId,
        name: &str,
        weight: u32,
    ) -> Result<bool, StoreError> {
        let params: [&(dyn ToSql + Sync); 4] = [&tenant.0, &name, &signed(weight), &Ts(self.now())];
        let made = self
            .execute(include_str!("tenant/create.sql"), &params)
            .await?;
        Ok(made == 1)
    }

    /// Whether this transaction's tenant exists, and its project where one is asked for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tenant_knows(&self, project: Option<ProjectId>) -> Result<bool, StoreError> {
        let params: [&(dyn ToSql + Sync); 2] = [&self.tenant().0, &project.map(|id| id.0)];
        let row = self
            .query_one(include_str!("tenant/knows.sql"), &params)
            .await?;
        Ok(row.get("knows"))
    }

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
