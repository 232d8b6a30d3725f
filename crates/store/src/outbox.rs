//! The outbox: messages committed with their cause, delivered at least once.

use jobengine_domain::id::{OutboxId, TenantId};

use crate::caller::Tx;
use crate::connect::Store;
use crate::draw::draw;
use crate::error::StoreError;
use crate::ts::Ts;

/// A message to the outside.
#[derive(Debug, Clone)]
pub struct OutboxMessage {
    /// Its id: a receiver that has seen it may forget a repeat.
    pub id: OutboxId,
    /// What it is: `run-completion`.
    pub topic: String,
    /// Whom it is about; safe as a file name.
    pub subject: String,
    /// The message itself.
    pub body: Vec<u8>,
    /// How often delivery was tried, this time included.
    pub tries: u32,
}

impl Tx {
    pub(crate) async fn outbox_put(
        &self,
        topic: &str,
        subject: &str,
        body: &[u8],
    ) -> Result<(), StoreError> {
        let id: OutboxId = draw(self.now());
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 6] = [
            &self.tenant().0,
            &id.0,
            &topic,
            &subject,
            &body,
            &Ts(self.now()),
        ];
        self.execute(include_str!("outbox/put.sql"), &params)
            .await?;
        Ok(())
    }

    /// Takes up to `limit` messages that are due. Commit before delivering: what is then neither
    /// delivered nor confirmed is due again after 30 s.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn outbox_due(&self, limit: u32) -> Result<Vec<OutboxMessage>, StoreError> {
        let rows = self
            .query(
                include_str!("outbox/due.sql"),
                &[&Ts(self.now()), &i64::from(limit)],
            )
            .await?;
        rows.iter()
            .map(|row| {
                Ok(OutboxMessage {
                    id: OutboxId(row.get("outbox_id")),
                    topic: row.get("topic"),
                    subject: row.get("subject"),
                    body: row.get("body"),
                    tries: crate::ticket::unsigned(row.get("tries"), "outbox.tries")?,
                })
            })
            .collect()
    }

    /// Confirms the delivery of a message; a repeat changes nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn outbox_delivered(&self, id: OutboxId) -> Result<(), StoreError> {
        self.execute(
            include_str!("outbox/delivered.sql"),
            &[&id.0, &Ts(self.now())],
        )
        .await?;
        Ok(())
    }
}

impl Store {
    /// Tenants with a message that is due.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tenants_with_messages(&self) -> Result<Vec<TenantId>, StoreError> {
        let rows = self
            .sched()
            .await?
            .query(include_str!("outbox/tenants.sql"), &[])
            .await?;
        Ok(rows
            .iter()
            .map(|row| TenantId(row.get("tenant_id")))
            .collect())
    }
}
