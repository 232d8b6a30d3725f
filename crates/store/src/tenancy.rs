//! Administration of tenants: by the installation's own tenant, and nobody else.
//!
//! A transaction of the installation sees every tenant's own row (a policy of the table says so), and nothing else of
//! a tenant; for everybody else these operations see one tenant at most.

use jobengine_domain::id::TenantId;
use jobengine_domain::time::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::caller::Tx;
use crate::draw::draw;
use crate::error::{StoreError, expect_one};
use crate::ticket::{signed, unsigned};
use crate::ts::Ts;

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantRecord {
    /// Its id.
    pub id: TenantId,
    /// What people call it; no two share it.
    pub name: String,
    /// Its share among tenants, from 1 to 1000.
    pub weight: u32,
    /// Whether no token of it is taken and no job of it is granted.
    pub suspended: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What is to become of a tenant. `None`: it stays.
#[derive(Debug, Clone, Default)]
pub struct TenantChange {
    /// What people call it.
    pub name: Option<String>,
    /// Its share among tenants, from 1 to 1000.
    pub weight: Option<u32>,
    /// Whether it is suspended.
    pub suspended: Option<bool>,
}

/// What came of a change.
#[derive(Debug, Clone)]
pub enum TenantChanged {
    /// Done: before, and after.
    Done(TenantRecord, TenantRecord),
    /// There is no such tenant.
    Unknown,
    /// Another tenant has the name.
    NameTaken,
}

impl Tx {
    /// Makes a tenant; `None` when the name is taken.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tenant_add(
        &self,
        name: &str,
        weight: u32,
    ) -> Result<Option<TenantRecord>, StoreError> {
        let id: TenantId = draw(self.now());
        let params: [&(dyn ToSql + Sync); 4] = [&id.0, &name, &signed(weight), &Ts(self.now())];
        let made = self
            .execute(include_str!("tenant/add.sql"), &params)
            .await?;
        Ok((made == 1).then(|| TenantRecord {
            id,
            name: name.to_owned(),
            weight,
            suspended: false,
            created_at: self.now(),
        }))
    }

    /// Changes a tenant. Once a suspension is committed, no job of it is granted.
    ///
    /// # Errors
    /// [`StoreError`]. After [`TenantChanged::NameTaken`] the transaction can only be rolled back.
    pub async fn tenant_change(
        &self,
        id: TenantId,
        change: &TenantChange,
    ) -> Result<TenantChanged, StoreError> {
        if change.suspended == Some(true) {
            self.gate_close(id).await?;
        }
        let row = self
            .query_opt(include_str!("tenant/lock.sql"), &[&id.0])
            .await?;
        let Some(before) = row.as_ref().map(tenant).transpose()? else {
            return Ok(TenantChanged::Unknown);
        };
        let after = TenantRecord {
            name: change.name.clone().unwrap_or_else(|| before.name.clone()),
            weight: change.weight.unwrap_or(before.weight),
            suspended: change.suspended.unwrap_or(before.suspended),
            ..before.clone()
        };
        let state = if after.suspended {
            "suspended"
        } else {
            "active"
        };
        let params: [&(dyn ToSql + Sync); 4] = [&id.0, &after.name, &signed(after.weight), &state];
        let changed = self
            .execute(include_str!("tenant/update.sql"), &params)
            .await;
        match changed {
            Err(StoreError::Refused(error))
                if error.code() == Some(&SqlState::UNIQUE_VIOLATION) =>
            {
                return Ok(TenantChanged::NameTaken);
            }
            other => expect_one(other?, "the tenant")?,
        }
        Ok(TenantChanged::Done(before, after))
    }

    /// Reads a page of tenants after one, all or such as are suspended or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tenant_list(
        &self,
        suspended: Option<bool>,
        after: Option<TenantId>,
        limit: u32,
    ) -> Result<Vec<TenantRecord>, StoreError> {
        self.tenants(suspended, after, limit, None).await
    }

    /// Reads one tenant; `None` when there is none of that id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tenant_find(&self, id: TenantId) -> Result<Option<TenantRecord>, StoreError> {
        Ok(self.tenants(None, None, 1, Some(id)).await?.pop())
    }

    async fn tenants(
        &self,
        suspended: Option<bool>,
        after: Option<TenantId>,
        limit: u32,
        only: Option<TenantId>,
    ) -> Result<Vec<TenantRecord>, StoreError> {
        let params: [&(dyn ToSql + Sync); 4] = [
            &after.map_or(Uuid::nil(), |tenant| tenant.0),
            &i64::from(limit),
            &only.map(|tenant| tenant.0),
            &suspended,
        ];
        let rows = self.query(include_str!("tenant/list.sql"), &params).await?;
        rows.iter().map(tenant).collect()
    }
}

fn tenant(row: &Row) -> Result<TenantRecord, StoreError> {
    Ok(TenantRecord {
        id: TenantId(row.get("tenant_id")),
        name: row.get("name"),
        weight: unsigned(row.get("weight"), "tenant.weight")?,
        suspended: row.get::<_, &str>("state") == "suspended",
        created_at: row.get::<_, Ts>("created_at").0,
    })
}
