//! From events to deliveries: in commit order, without gaps, each webhook at its own pace.

use std::collections::BTreeMap;

use jobengine_domain::caller::Caller;
use jobengine_domain::event::{Delivery, Event, EventType};
use jobengine_domain::id::{TenantId, WebhookId};
use jobengine_domain::stream::{Cursor, Expired, Place};
use jobengine_domain::webhook::PENDING_MAX;
use jobengine_store::{EventFilter, EventPage, NewDelivery, Store, StoreError, Tx, WebhookCursor};

use crate::driver::{Duty, Report};
use crate::tenants::each;

/// Events turned into deliveries of one webhook per pass.
const PAGE: u32 = 200;
/// The body is an event.
const EVENT: &str = "application/json";
/// The body is a signed statement about a completed run.
const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";

/// Makes a delivery of each event that a webhook asks for, and moves the webhook on, in one
/// transaction.
#[derive(Debug)]
pub struct WebhookFanOut {
    store: Store,
}

impl WebhookFanOut {
    /// Follows the streams of `store`.
    pub const fn new(store: Store) -> Self {
        Self { store }
    }

    /// One page for each webhook of a tenant: none waits for another's backlog.
    async fn tenant(&self, tenant: TenantId, webhooks: &[WebhookId]) -> Result<Report, StoreError> {
        let mut all = Report::default();
        for webhook in webhooks {
            let report = self.page(tenant, *webhook).await?;
            all.done += report.done;
            all.more |= report.more;
        }
        Ok(all)
    }

    async fn page(&self, tenant: TenantId, webhook: WebhookId) -> Result<Report, StoreError> {
        let tx = self.store.begin(&Caller::system(tenant)).await?;
        let Some(stands) = tx.webhook_cursor(webhook).await? else {
            return settled(tx).await;
        };
        // It stays where it is until what waits has been sent: the stream keeps the rest for it.
        if tx.deliveries_pending(webhook, PENDING_MAX).await? >= PENDING_MAX {
            return settled(tx).await;
        }
        let (page, missed) = read(&tx, &stands).await?;
        let mut new = Vec::with_capacity(page.events.len());
        for record in &page.events {
            let event = &record.event;
            let job_type = event.job.as_ref().map(|job| job.job_type.as_str());
            if stands
                .filter
                .matches(event.kind.as_str(), event.run, job_type)
            {
                new.push(delivery(&tx, event).await?);
            }
        }
        tx.deliveries_create(webhook, &new).await?;
        let reached = Cursor {
            epoch: page.epoch,
            place: page.reached,
        };
        tx.webhook_cursor_move(webhook, &reached, missed).await?;
        tx.commit().await?;
        if missed {
            tracing::warn!(tenant = %tenant, webhook = %webhook, "events were trimmed before webhook {webhook} had seen them; it goes on with what is kept");
        }
        Ok(Report {
            done: new.len(),
            more: page.more,
        })
    }
}

impl Duty for WebhookFanOut {
    const NAME: &'static str = "webhook_fan_out";

    async fn activate(&self) -> Result<Report, StoreError> {
        let mut behind: BTreeMap<TenantId, Vec<WebhookId>> = BTreeMap::new();
        for (tenant, webhook) in self.store.webhooks_behind().await? {
            behind.entry(tenant).or_default().push(webhook);
        }
        let tenants = behind.keys().copied().collect();
        let behind = &behind;
        each(Self::NAME, tenants, |tenant| async move {
            self.tenant(tenant, &behind[&tenant]).await
        })
        .await
    }
}

async fn settled(tx: Tx) -> Result<Report, StoreError> {
    tx.commit().await?;
    Ok(Report::default())
}

/// The next page behind a webhook's place, and whether events before it were lost to it. Where going
/// on is not possible (they were trimmed, or the database was restored) it goes on with the oldest
/// event that is kept.
async fn read(tx: &Tx, stands: &WebhookCursor) -> Result<(EventPage, bool), StoreError> {
    let filter = EventFilter {
        run: stands.filter.run(),
        types: stands.filter.kinds(),
        project: stands.project,
        ..EventFilter::default()
    };
    let epoch = match stands.epoch {
        Some(epoch) => epoch,
        None => tx.events_bounds().await?.epoch,
    };
    let cursor = Cursor {
        epoch,
        place: stands.place,
    };
    match tx.events_after(&cursor, &filter, PAGE).await {
        Err(StoreError::Expired(why)) => {
            let bounds = tx.events_bounds().await?;
            let oldest = Cursor {
                epoch: bounds.epoch,
                place: bounds.trimmed_to.unwrap_or(Place::start()),
            };
            let page = tx.events_after(&oldest, &filter, PAGE).await?;
            Ok((page, why == Expired::Trimmed))
        }
        page => Ok((page?, false)),
    }
}

/// A delivery of an event. The completion of a run is its signed envelope itself, so that whoever
/// gets it can prove it to others.
async fn delivery(tx: &Tx, event: &Event) -> Result<NewDelivery, StoreError> {
    let signed = match (event.kind, event.run) {
        (EventType::RunCompleted, Some(run)) => tx.impact_run_completion(run).await?,
        _ => None,
    };
    let (media_type, body) = match signed {
        Some((envelope, _)) => (ENVELOPE, envelope.into_bytes()),
        None => (EVENT, plain(event)),
    };
    Ok(NewDelivery {
        event: Some(event.id),
        event_type: event.kind.to_string(),
        media_type,
        body,
    })
}

fn plain(event: &Event) -> Vec<u8> {
    let whole = Delivery::Webhook {
        ordinal: 1,
        total: 1,
    };
    serde_json::to_vec(&event.envelope(whole)).expect("an event is plain JSON")
}
