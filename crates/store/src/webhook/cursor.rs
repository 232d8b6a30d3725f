//! Where webhooks stand in the streams of their tenants.

use jobengine_domain::id::{ProjectId, TenantId, WebhookId};
use jobengine_domain::stream::{Cursor, Epoch, Place};
use jobengine_domain::webhook::Filter;
use tokio_postgres::Row;
use uuid::Uuid;

use super::filter;
use crate::caller::Tx;
use crate::connect::Store;
use crate::error::{StoreError, expect_one};
use crate::ts::Ts;

/// Where a webhook stands in its tenant's stream.
#[derive(Debug, Clone)]
pub struct WebhookCursor {
    /// The only project whose events it is told.
    pub project: Option<ProjectId>,
    /// What it is told of.
    pub filter: Filter,
    /// The last event it has seen.
    pub place: Place,
    /// The history that the place belongs to; `None` before the first page.
    pub epoch: Option<Epoch>,
}

impl Tx {
    /// Where an active webhook stands in the stream, locked; `None` when it is paused, gone, or being
    /// moved by somebody else.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn webhook_cursor(&self, id: WebhookId) -> Result<Option<WebhookCursor>, StoreError> {
        let row = self.query_opt(include_str!("cursor.sql"), &[&id.0]).await?;
        let Some(row) = row else { return Ok(None) };
        let corrupt = StoreError::Corrupt {
            place: "webhook.cursor_txid",
        };
        let txid: &str = row.get("txid");
        Ok(Some(WebhookCursor {
            project: row.get::<_, Option<Uuid>>("project_id").map(ProjectId),
            filter: filter(&row)?,
            place: Place {
                txid: txid.parse().map_err(|_| corrupt)?,
                row: row.get("cursor_event"),
            },
            epoch: row
                .get::<_, Option<i64>>("cursor_epoch")
                .map(|epoch| Epoch(epoch.cast_unsigned())),
        }))
    }

    /// Moves a webhook on in the stream. `missed`: events had been trimmed before it saw them.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when there is no such webhook.
    pub async fn webhook_cursor_move(
        &self,
        id: WebhookId,
        to: &Cursor,
        missed: bool,
    ) -> Result<(), StoreError> {
        let moved = self
            .execute(
                include_str!("cursor_move.sql"),
                &[
                    &id.0,
                    &to.place.txid.to_string(),
                    &to.place.row,
                    &to.epoch.0.cast_signed(),
                    &missed.then_some(Ts(self.now())),
                ],
            )
            .await?;
        expect_one(moved, "the webhook")
    }
}

impl Store {
    /// Active webhooks that have not seen every event, over all tenants.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn webhooks_behind(&self) -> Result<Vec<(TenantId, WebhookId)>, StoreError> {
        self.webhooks_found(include_str!("behind.sql")).await
    }

    pub(crate) async fn webhooks_found(
        &self,
        sql: &str,
    ) -> Result<Vec<(TenantId, WebhookId)>, StoreError> {
        let rows = self.sched().await?.query(sql, &[]).await?;
        let pair = |row: &Row| {
            (
                TenantId(row.get("tenant_id")),
                WebhookId(row.get("webhook_id")),
            )
        };
        Ok(rows.iter().map(pair).collect())
    }
}
