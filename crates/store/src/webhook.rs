//! Webhooks: addresses outside that are told of events.
//!
//! Their secrets are sealed under the installation's secret before they get here, each for its own
//! row: a sealed secret that somebody moves to another webhook opens nothing.

use std::collections::BTreeSet;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use jobengine_domain::egress::{HostPattern, Hosts};
use jobengine_domain::event::EventType;
use jobengine_domain::id::{ProjectId, RunId, TenantId, WebhookId};
use jobengine_domain::stream::{Cursor, Epoch, Place};
use jobengine_domain::time::Timestamp;
use jobengine_domain::webhook::{Filter, SECRET_MIN_BYTES, WEBHOOKS_MAX, WebhookSecret};
use tokio_postgres::Row;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::caller::Tx;
use crate::connect::Store;
use crate::draw::draw;
use crate::error::{StoreError, expect_one};
use crate::secret::{InstallationSecret, Purpose};
use crate::ticket::unsigned;
use crate::ts::{Ts, ts};

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

    /// Gives a webhook a new secret; the one before signs beside it until `until`, or not at all.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when there is no such webhook.
    pub async fn webhook_rotate(
        &self,
        installation: &InstallationSecret,
        id: WebhookId,
        secret: &WebhookSecret,
        until: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let rotated = self
            .execute(
                include_str!("webhook/rotate.sql"),
                &[
                    &id.0,
                    &key_id(installation),
                    &seal(installation, self.tenant(), id, secret),
                    &ts(until),
                    &Ts(self.now()),
                ],
            )
            .await?;
        expect_one(rotated, "the webhook")
    }

    /// The secrets that sign now, the newest first; `None` when they were sealed under another
    /// installation's secret.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such webhook.
    pub async fn webhook_secrets(
        &self,
        installation: &InstallationSecret,
        id: WebhookId,
    ) -> Result<Option<Vec<WebhookSecret>>, StoreError> {
        let row = self
            .query_opt(
                include_str!("webhook/secret.sql"),
                &[&id.0, &Ts(self.now())],
            )
            .await?
            .ok_or(StoreError::Missing("the webhook"))?;
        if row.get::<_, &str>("key_id") != key_id(installation) {
            return Ok(None);
        }
        let open = |sealed: &[u8]| unseal(installation, self.tenant(), id, sealed);
        let newest = open(row.get("secret"));
        // An old one that was sealed before the installation's secret changed signs no more.
        let old = row.get::<_, Option<&[u8]>>("old_secret").and_then(open);
        Ok(newest.map(|newest| std::iter::once(newest).chain(old).collect()))
    }

    /// Where an active webhook stands in the stream, locked; `None` when it is paused, gone, or being
    /// moved by somebody else.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn webhook_cursor(&self, id: WebhookId) -> Result<Option<WebhookCursor>, StoreError> {
        let row = self
            .query_opt(include_str!("webhook/cursor.sql"), &[&id.0])
            .await?;
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
                include_str!("webhook/cursor_move.sql"),
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

    /// The hosts to which the tenant confines its webhooks.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn webhook_hosts(&self) -> Result<Hosts, StoreError> {
        let row = self
            .query_opt(include_str!("webhook/hosts.sql"), &[])
            .await?;
        let Some(row) = row else {
            return Ok(Hosts::default());
        };
        let hosts: Vec<&str> = row.get("hosts");
        let read = |host: &str| host.parse::<HostPattern>().ok();
        let hosts: Option<BTreeSet<_>> = hosts.into_iter().map(read).collect();
        hosts.map(Hosts).ok_or(StoreError::Corrupt {
            place: "webhook_hosts.hosts",
        })
    }

    /// Confines the tenant's webhooks to some hosts; an empty list confines nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn webhook_hosts_put(&self, hosts: &Hosts) -> Result<(), StoreError> {
        let names: Vec<String> = hosts.0.iter().map(ToString::to_string).collect();
        self.execute(
            include_str!("webhook/hosts_put.sql"),
            &[&self.tenant().0, &names, &Ts(self.now())],
        )
        .await?;
        Ok(())
    }
}

impl Store {
    /// Active webhooks that have not seen every event, over all tenants.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn webhooks_behind(&self) -> Result<Vec<(TenantId, WebhookId)>, StoreError> {
        self.webhooks_found(include_str!("webhook/behind.sql"))
            .await
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

/// Draws a secret that nobody has seen.
pub fn draw_webhook_secret() -> WebhookSecret {
    let mut bytes = Zeroizing::new([0; SECRET_MIN_BYTES]);
    SystemRandom::new()
        .fill(&mut *bytes)
        .expect("the system's random source works");
    WebhookSecret::from_bytes(&*bytes).expect("it has its length")
}

/// Which installation secret sealed a row: a name that tells nothing of it.
fn key_id(installation: &InstallationSecret) -> String {
    let mark = installation.mac(Purpose::Webhook, &[b"key id"]);
    format!(
        "{:016x}",
        u64::from_be_bytes(*mark.first_chunk().expect("a mark has 32 bytes"))
    )
}

fn seal(
    installation: &InstallationSecret,
    tenant: TenantId,
    id: WebhookId,
    secret: &WebhookSecret,
) -> Vec<u8> {
    let context: [&[u8]; 2] = [tenant.0.as_bytes(), id.0.as_bytes()];
    installation.seal(Purpose::Webhook, &context, secret.bytes())
}

fn unseal(
    installation: &InstallationSecret,
    tenant: TenantId,
    id: WebhookId,
    sealed: &[u8],
) -> Option<WebhookSecret> {
    let context: [&[u8]; 2] = [tenant.0.as_bytes(), id.0.as_bytes()];
    let bytes = installation.open(Purpose::Webhook, &context, sealed)?;
    WebhookSecret::from_bytes(&bytes).ok()
}
