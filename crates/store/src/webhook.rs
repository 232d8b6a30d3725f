//! Webhooks: addresses outside that are told of events.
//!
//! Their secrets are sealed under the installation's secret before they get here, each for its own
//! row: a sealed secret that somebody moves to another webhook opens nothing.

mod cursor;
mod hosts;
mod secret;

use std::collections::BTreeSet;

use jobengine_domain::event::EventType;
use jobengine_domain::id::{ProjectId, RunId, WebhookId};
use jobengine_domain::time::Timestamp;
use jobengine_domain::webhook::{Filter, WEBHOOKS_MAX, WebhookSecret};
use tokio_postgres::Row;
use uuid::Uuid;

pub use cursor::WebhookCursor;
pub use secret::draw_webhook_secret;
use secret::{key_id, seal};

use crate::caller::Tx;
use crate::draw::draw;
use crate::error::{StoreError, expect_one};
use crate::secret::InstallationSecret;
use crate::ticket::unsigned;
use crate::ts::Ts;

/// A webhook to be made.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// The only project whose events it is told; `None` for all.
    pub project: Option<ProjectId>,
    /// What it is and is told of.
    pub spec: WebhookSpec,
    /// What signs its deliveries.
    pub secret: WebhookSecret,
}

/// What a person decides about a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSpec {
    /// What people call it, 1 to 200 characters.
    pub name: String,
    /// Where deliveries go, as the egress policy admitted it.
    pub url: String,
    /// What it is told of.
    pub filter: Filter,
}

/// A webhook.
#[derive(Debug, Clone)]
pub struct WebhookRecord {
    /// Its id.
    pub id: WebhookId,
    /// The only project whose events it is told; `None` for all.
    pub project: Option<ProjectId>,
    /// What a person decided about it.
    pub spec: WebhookSpec,
    /// Why it is at rest and since when; `None` while it is active.
    pub paused: Option<(PauseReason, Timestamp)>,
    /// Attempts that failed since the last success, and since when; `None` after a success.
    pub failing: Option<(u32, Timestamp)>,
    /// Until when the secret before the last rotation signs as well.
    pub old_secret_until: Option<Timestamp>,
    /// When events were last found trimmed before it had seen them.
    pub missed_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a person last changed it, or when it was paused.
    pub updated_at: Timestamp,
}

/// Why a webhook is at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PauseReason {
    /// A person said so.
    Operator,
    /// For three days no attempt succeeded.
    Failing,
    /// The receiver answered 410.
    Gone,
}

impl PauseReason {
    /// The column and wire spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Failing => "failing",
            Self::Gone => "gone",
        }
    }

    fn parse(text: &str) -> Result<Self, StoreError> {
        [Self::Operator, Self::Failing, Self::Gone]
            .into_iter()
            .find(|reason| reason.as_str() == text)
            .ok_or(StoreError::Corrupt {
                place: "webhook.pause_reason",
            })
    }
}

/// Where a webhook goes on after a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResumeFrom {
    /// Behind the last event it has seen: nothing is missed that is still kept.
    Cursor,
    /// With what is committed from now on.
    Now,
}

impl Tx {
    /// Makes a webhook, which is told of what is committed from now on. `None` when the tenant has
    /// [`WEBHOOKS_MAX`] already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn webhook_create(
        &self,
        installation: &InstallationSecret,
        new: &NewWebhook,
    ) -> Result<Option<WebhookId>, StoreError> {
        let id: WebhookId = draw(self.now());
        let tenant = self.tenant();
        self.query_one(include_str!("webhook/lock.sql"), &[&tenant.0])
            .await?;
        let NewWebhook {
            project,
            spec,
            secret,
        } = new;
        let (event_types, job_types) = columns(&spec.filter);
        let made = self
            .execute(
                include_str!("webhook/insert.sql"),
                &[
                    &tenant.0,
                    &id.0,
                    &project.map(|project| project.0),
                    &spec.name,
                    &spec.url,
                    &event_types,
                    &job_types,
                    &spec.filter.run().map(|run| run.0),
                    &key_id(installation),
                    &seal(installation, tenant, id, secret),
                    &Ts(self.now()),
                    &i64::from(WEBHOOKS_MAX),
                ],
            )
            .await?;
        Ok((made == 1).then_some(id))
    }

    /// One webhook.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn webhook_find(&self, id: WebhookId) -> Result<Option<WebhookRecord>, StoreError> {
        let row = self
            .query_opt(include_str!("webhook/find.sql"), &[&id.0])
            .await?;
        row.as_ref().map(record).transpose()
    }

    /// One webhook, which nobody else changes until the transaction ends.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is none.
    pub async fn webhook_lock(&self, id: WebhookId) -> Result<WebhookRecord, StoreError> {
        let row = self
            .query_opt(include_str!("webhook/find_lock.sql"), &[&id.0])
            .await?;
        record(&row.ok_or(StoreError::Missing("the webhook"))?)
    }

    /// A page of webhooks after `after`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn webhook_list(
        &self,
        after: Option<WebhookId>,
        limit: u32,
    ) -> Result<Vec<WebhookRecord>, StoreError> {
        let after = after.map_or(Uuid::nil(), |id| id.0);
        let rows = self
            .query(
                include_str!("webhook/list.sql"),
                &[&after, &i64::from(limit)],
            )
            .await?;
        rows.iter().map(record).collect()
    }

    /// Changes what a webhook is and is told of.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when there is none.
    pub async fn webhook_update(
        &self,
        id: WebhookId,
        spec: &WebhookSpec,
    ) -> Result<(), StoreError> {
        let (event_types, job_types) = columns(&spec.filter);
        let changed = self
            .execute(
                include_str!("webhook/update.sql"),
                &[
                    &id.0,
                    &spec.name,
                    &spec.url,
                    &event_types,
                    &job_types,
                    &spec.filter.run().map(|run| run.0),
                    &Ts(self.now()),
                ],
            )
            .await?;
        expect_one(changed, "the webhook")
    }

    /// Removes a webhook. Nothing sends its deliveries any more.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when there is none.
    pub async fn webhook_remove(&self, id: WebhookId) -> Result<(), StoreError> {
        let removed = self
            .execute(include_str!("webhook/remove.sql"), &[&id.0])
            .await?;
        expect_one(removed, "the webhook")
    }

    /// Pauses a webhook; whether it was active. A pause that no person asked for is told as an event.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn webhook_pause(
        &self,
        id: WebhookId,
        reason: PauseReason,
    ) -> Result<bool, StoreError> {
        let paused = self
            .execute(
                include_str!("webhook/pause.sql"),
                &[&id.0, &reason.as_str(), &Ts(self.now())],
            )
            .await?;
        if paused == 1 && reason != PauseReason::Operator {
            self.event_write(EventType::WebhookPaused, None, Some(&id.to_string()))
                .await?;
        }
        Ok(paused == 1)
    }

    /// Lets a paused webhook go on; whether it was paused.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn webhook_resume(
        &self,
        id: WebhookId,
        from: ResumeFrom,
    ) -> Result<bool, StoreError> {
        let now = from == ResumeFrom::Now;
        let resumed = self
            .execute(
                include_str!("webhook/resume.sql"),
                &[&id.0, &Ts(self.now()), &now],
            )
            .await?;
        Ok(resumed == 1)
    }

    /// Notes that an attempt failed; since when they all do.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such webhook any more.
    pub async fn webhook_failed(&self, id: WebhookId) -> Result<Timestamp, StoreError> {
        let row = self
            .query_opt(
                include_str!("webhook/failed.sql"),
                &[&id.0, &Ts(self.now())],
            )
            .await?
            .ok_or(StoreError::Missing("the webhook"))?;
        let Ts(since) = row.get("failing_since");
        Ok(since)
    }

    /// Notes that an attempt succeeded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn webhook_recovered(&self, id: WebhookId) -> Result<(), StoreError> {
        self.execute(include_str!("webhook/recovered.sql"), &[&id.0])
            .await?;
        Ok(())
    }
}

fn record(row: &Row) -> Result<WebhookRecord, StoreError> {
    let at = |column: &str| row.get::<_, Option<Ts>>(column).map(|Ts(at)| at);
    let reason: Option<&str> = row.get("pause_reason");
    let failures = unsigned(row.get("failures"), "webhook.failures")?;
    let Ts(created_at) = row.get("created_at");
    let Ts(updated_at) = row.get("updated_at");
    Ok(WebhookRecord {
        id: WebhookId(row.get("webhook_id")),
        project: row.get::<_, Option<Uuid>>("project_id").map(ProjectId),
        spec: WebhookSpec {
            name: row.get("name"),
            url: row.get("url"),
            filter: filter(row)?,
        },
        paused: reason
            .map(PauseReason::parse)
            .transpose()?
            .zip(at("paused_at")),
        failing: at("failing_since").map(|since| (failures, since)),
        old_secret_until: at("old_secret_until"),
        missed_at: at("missed_at"),
        created_at,
        updated_at,
    })
}

fn filter(row: &Row) -> Result<Filter, StoreError> {
    let names = |column: &str| row.get::<_, Vec<String>>(column).into_iter().collect();
    let run = row.get::<_, Option<Uuid>>("run_id").map(RunId);
    Filter::new(names("event_types"), names("job_types"), run).map_err(|_| StoreError::Corrupt {
        place: "webhook.event_types",
    })
}

fn columns(filter: &Filter) -> (Vec<&str>, Vec<&str>) {
    (names(filter.event_types()), names(filter.job_types()))
}

fn names(set: &BTreeSet<String>) -> Vec<&str> {
    set.iter().map(String::as_str).collect()
}
