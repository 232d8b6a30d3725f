//! Deliveries: events on their way to webhooks, each sent until it arrives or its schedule ends.

use jobengine_domain::id::{DeliveryId, EventId, TenantId, WebhookId};
use jobengine_domain::time::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::caller::Tx;
use crate::connect::Store;
use crate::draw::draw;
use crate::error::{StoreError, expect_one};
use crate::ticket::unsigned;
use crate::ts::{Ts, ts};

/// A delivery to be made.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    /// The event it tells of; `None` when a person wants to see whether it arrives.
    pub event: Option<EventId>,
    /// The event's type.
    pub event_type: String,
    /// What the body is.
    pub media_type: &'static str,
    /// What is sent: the same bytes at every attempt.
    pub body: Vec<u8>,
}

/// A delivery, without its body.
#[derive(Debug, Clone)]
pub struct DeliveryRecord {
    /// Its id: what the receiver sees as `webhook-id`.
    pub id: DeliveryId,
    /// The webhook it goes to.
    pub webhook: WebhookId,
    /// The event it tells of; `None` for a test.
    pub event: Option<EventId>,
    /// The event's type.
    pub event_type: String,
    /// What the body is.
    pub media_type: String,
    /// Bytes of the body.
    pub bytes: u32,
    /// How far it has come.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: u32,
    /// When it is due; `None` when it is at its end.
    pub next_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the last attempt ended.
    pub attempted_at: Option<Timestamp>,
    /// When it arrived, or was given up.
    pub ended_at: Option<Timestamp>,
    /// The HTTP status of the last attempt.
    pub status: Option<u16>,
    /// Why the last attempt had no answer, in a word.
    pub error: Option<String>,
}

/// How far a delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryState {
    /// It waits for its next attempt.
    Pending,
    /// The receiver has it.
    Delivered,
    /// It was given up; a person may send it again.
    Failed,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Failed];

    /// The column and wire spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// From the wire spelling.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// A delivery that somebody is sending.
#[derive(Debug, Clone)]
pub struct TakenDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// The event's type.
    pub event_type: String,
    /// What the body is.
    pub media_type: String,
    /// What is sent.
    pub body: Vec<u8>,
    /// Attempts of this round so far.
    pub tries: u32,
    /// Until when nobody else takes it: the proof of whoever settles it.
    pub held_until: Timestamp,
}

/// How an attempt ended, to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// What the delivery is now.
    pub state: DeliveryState,
    /// When it is due again, when it waits.
    pub next_at: Option<Timestamp>,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// Why there was none.
    pub error: Option<&'static str>,
}

impl Tx {
    /// Makes deliveries to a webhook, due at once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn deliveries_create(
        &self,
        webhook: WebhookId,
        new: &[NewDelivery],
    ) -> Result<Vec<DeliveryId>, StoreError> {
        let ids: Vec<DeliveryId> = new.iter().map(|_| draw(self.now())).collect();
        if new.is_empty() {
            return Ok(ids);
        }
        let column = |of: fn(&NewDelivery) -> &str| -> Vec<&str> { new.iter().map(of).collect() };
        let events: Vec<Option<Uuid>> = new.iter().map(|new| new.event.map(|id| id.0)).collect();
        let bodies: Vec<&[u8]> = new.iter().map(|new| new.body.as_slice()).collect();
        self.execute(
            include_str!("delivery/insert.sql"),
            &[
                &self.tenant().0,
                &webhook.0,
                &ids.iter().map(|id| id.0).collect::<Vec<_>>(),
                &events,
                &column(|new| &new.event_type),
                &column(|new| new.media_type),
                &bodies,
                &Ts(self.now()),
            ],
        )
        .await?;
        Ok(ids)
    }

    /// A page of deliveries to a webhook before `before`, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delivery_list(
        &self,
        webhook: WebhookId,
        before: Option<DeliveryId>,
        state: Option<DeliveryState>,
        limit: u32,
    ) -> Result<Vec<DeliveryRecord>, StoreError> {
        let before = before.map_or(Uuid::max(), |id| id.0);
        let rows = self
            .query(
                include_str!("delivery/list.sql"),
                &[
                    &webhook.0,
                    &before,
                    &i64::from(limit),
                    &state.map(DeliveryState::as_str),
                ],
            )
            .await?;
        rows.iter().map(record).collect()
    }

    /// One delivery.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delivery_find(
        &self,
        webhook: WebhookId,
        id: DeliveryId,
    ) -> Result<Option<DeliveryRecord>, StoreError> {
        let row = self
            .query_opt(include_str!("delivery/find.sql"), &[&webhook.0, &id.0])
            .await?;
        row.as_ref().map(record).transpose()
    }

    /// How many deliveries to a webhook wait, counted up to `most`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn deliveries_pending(
        &self,
        webhook: WebhookId,
        most: u32,
    ) -> Result<u32, StoreError> {
        let row = self
            .query_one(
                include_str!("delivery/pending.sql"),
                &[&webhook.0, &i64::from(most)],
            )
            .await?;
        let pending: i64 = row.get("pending");
        Ok(u32::try_from(pending).unwrap_or(most))
    }

    /// Takes up to `limit` deliveries that are due, in the order in which they were made. For
    /// `hold_ms` nobody else takes them; commit before sending.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn deliveries_take(
        &self,
        webhook: WebhookId,
        limit: u32,
        hold_ms: u64,
    ) -> Result<Vec<TakenDelivery>, StoreError> {
        let held_until = self.now().plus_ms(hold_ms);
        let rows = self
            .query(
                include_str!("delivery/take.sql"),
                &[
                    &webhook.0,
                    &Ts(self.now()),
                    &i64::from(limit),
                    &Ts(held_until),
                ],
            )
            .await?;
        let taken = |row: &Row| {
            Ok(TakenDelivery {
                id: DeliveryId(row.get("delivery_id")),
                event_type: row.get("event_type"),
                media_type: row.get("media_type"),
                body: row.get("body"),
                tries: unsigned(row.get("tries"), "delivery.tries")?,
                held_until,
            })
        };
        let mut all: Vec<TakenDelivery> =
            rows.iter().map(taken).collect::<Result<_, StoreError>>()?;
        all.sort_unstable_by_key(|delivery| delivery.id);
        Ok(all)
    }

    /// Writes down how an attempt ended; whether it was the taker's to say. That something arrived
    /// may always be said.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delivery_settle(
        &self,
        webhook: WebhookId,
        taken: &TakenDelivery,
        settled: &Settled,
    ) -> Result<bool, StoreError> {
        let rows = self
            .execute(
                include_str!("delivery/settle.sql"),
                &[
                    &webhook.0,
                    &taken.id.0,
                    &Ts(taken.held_until),
                    &settled.state.as_str(),
                    &Ts(self.now()),
                    &settled.status.map(i32::from),
                    &settled.error,
                    &ts(settled.next_at),
                ],
            )
            .await?;
        Ok(rows == 1)
    }

    /// Gives back deliveries that were taken and not sent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn deliveries_give_back(
        &self,
        webhook: WebhookId,
        taken: &[TakenDelivery],
    ) -> Result<(), StoreError> {
        let Some(first) = taken.first() else {
            return Ok(());
        };
        let ids: Vec<Uuid> = taken.iter().map(|delivery| delivery.id.0).collect();
        self.execute(
            include_str!("delivery/give_back.sql"),
            &[&webhook.0, &ids, &Ts(first.held_until), &Ts(self.now())],
        )
        .await?;
        Ok(())
    }

    /// Makes a delivery that is at its end due again, with all its tries.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it waits anyway.
    pub async fn delivery_redeliver(
        &self,
        webhook: WebhookId,
        id: DeliveryId,
    ) -> Result<(), StoreError> {
        let again = self
            .execute(
                include_str!("delivery/redeliver.sql"),
                &[&webhook.0, &id.0, &Ts(self.now())],
            )
            .await?;
        expect_one(again, "the delivery")
    }

    /// Removes up to `limit` deliveries from before a moment; how many went.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn deliveries_remove_old(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.execute(
            include_str!("delivery/remove_old.sql"),
            &[&Ts(before), &i64::from(limit)],
        )
        .await
    }
}

impl Store {
    /// Active webhooks with a delivery that is due, over all tenants.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn webhooks_due(&self) -> Result<Vec<(TenantId, WebhookId)>, StoreError> {
        self.webhooks_found(include_str!("delivery/due.sql")).await
    }

    /// Tenants with deliveries from before a moment, among the oldest `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tenants_with_old_deliveries(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<TenantId>, StoreError> {
        let rows = self
            .sched()
            .await?
            .query(
                include_str!("delivery/old.sql"),
                &[&Ts(before), &i64::from(limit)],
            )
            .await?;
        Ok(rows
            .iter()
            .map(|row| TenantId(row.get("tenant_id")))
            .collect())
    }
}

fn record(row: &Row) -> Result<DeliveryRecord, StoreError> {
    let at = |column: &str| row.get::<_, Option<Ts>>(column).map(|Ts(at)| at);
    let state = DeliveryState::parse(row.get("state")).ok_or(StoreError::Corrupt {
        place: "delivery.state",
    })?;
    let Ts(created_at) = row.get("created_at");
    let status: Option<i32> = row.get("status");
    Ok(DeliveryRecord {
        id: DeliveryId(row.get("delivery_id")),
        webhook: WebhookId(row.get("webhook_id")),
        event: row.get::<_, Option<Uuid>>("event_id").map(EventId),
        event_type: row.get("event_type"),
        media_type: row.get("media_type"),
        bytes: unsigned(row.get("bytes"), "delivery.body")?,
        state,
        attempts: unsigned(row.get("attempts"), "delivery.attempts")?,
        next_at: at("next_at"),
        created_at,
        attempted_at: at("attempted_at"),
        ended_at: at("ended_at"),
        status: status.and_then(|status| u16::try_from(status).ok()),
        error: row.get("error"),
    })
}
