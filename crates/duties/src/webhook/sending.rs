//! Sending: take what is due, send it, write down what became of it.

use std::time::Duration;

use futures_util::StreamExt as _;
use jobengine_domain::breaker::Passage;
use jobengine_domain::caller::Caller;
use jobengine_domain::egress::Hosts;
use jobengine_domain::id::{TenantId, WebhookId};
use jobengine_domain::metric;
use jobengine_domain::time::Timestamp;
use jobengine_domain::webhook::{
    ATTEMPTS, Ended, TEST, Verdict, WebhookSecret, after_attempt, keeps_failing, signatures,
};
use jobengine_store::secret::InstallationSecret;
use jobengine_store::{DeliveryState, PauseReason, Settled, Store, StoreError, TakenDelivery, Tx};
use jobengine_telemetry::{Counter, Registry, Timing};
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::breakers::{Breakers, Origin};
use crate::egress::{Answer, Egress, EgressError};

/// Deliveries taken at a time.
const BATCH: u32 = 16;
/// Deliveries of one webhook on their way at a time.
const PARALLEL: usize = 4;
/// While a batch is being sent nobody else sends it: longer than all of it may take.
const HOLD_MS: u64 = 60_000;
/// Transactions of all sending at a time: the connections are there for requests too.
const TRANSACTIONS: usize = 4;

/// What sending needs.
#[derive(Debug)]
pub(super) struct Sending {
    store: Store,
    egress: Egress,
    installation: InstallationSecret,
    breakers: Breakers,
    transactions: Semaphore,
    attempts: Counter<1>,
    took: Timing<1>,
    ended: Counter<1>,
    paused: Counter<1>,
}

/// How a batch ended.
#[derive(Debug, Clone, Copy)]
pub(super) enum Batch {
    /// Something was sent, and there may be more.
    Sent,
    /// Nothing is due.
    Nothing,
    /// The destination does not answer: nothing is to be sent for a while.
    Shut {
        /// How long.
        wait: Duration,
    },
}

/// What all deliveries of a batch have in common.
struct Parcel {
    tenant: TenantId,
    webhook: WebhookId,
    url: String,
    hosts: Hosts,
    /// `None` when they cannot be read.
    secrets: Option<Vec<WebhookSecret>>,
    origin: Origin,
    /// The database's clock when it was taken, and our own: later moments are durations from there.
    clock: (Timestamp, Instant),
}

/// Why a delivery has no answer.
enum Unsent {
    /// The secret was sealed under another installation's.
    Unreadable,
    /// It did not get there.
    Egress(EgressError),
}

impl Unsent {
    /// One word, stable, for records.
    const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable => "SECRET_UNREADABLE",
            Self::Egress(error) => error.code(),
        }
    }
}

/// A batch, on its way from now on.
type Taken = (Parcel, Vec<TakenDelivery>);

impl Sending {
    pub(super) fn new(
        store: Store,
        egress: Egress,
        installation: InstallationSecret,
        registry: &Registry,
    ) -> Self {
        Self {
            store,
            egress,
            installation,
            breakers: Breakers::default(),
            transactions: Semaphore::new(TRANSACTIONS),
            attempts: registry.counter(&metric::webhook::ATTEMPTS),
            took: registry.timing(&metric::webhook::DURATION),
            ended: registry.counter(&metric::webhook::ENDED),
            paused: registry.counter(&metric::webhook::PAUSED),
        }
    }

    /// Sends the next deliveries of a webhook.
    pub(super) async fn batch(
        &self,
        tenant: TenantId,
        webhook: WebhookId,
    ) -> Result<Batch, StoreError> {
        let (parcel, taken) = match self.take(tenant, webhook).await? {
            Ok(taken) => taken,
            Err(otherwise) => return Ok(otherwise),
        };
        let parcel = &parcel;
        let ended: Vec<Result<Option<TakenDelivery>, StoreError>> =
            futures_util::stream::iter(taken)
                .map(async |taken| self.attempt(parcel, taken).await)
                .buffer_unordered(PARALLEL)
                .collect()
                .await;
        let mut unsent = Vec::new();
        let mut failure = None;
        for ended in ended {
            match ended {
                Ok(left) => unsent.extend(left),
                Err(error) => failure = Some(error),
            }
        }
        if !unsent.is_empty() {
            let _turn = self.turn().await;
            let tx = self.store.begin(&Caller::system(tenant)).await?;
            tx.deliveries_give_back(webhook, &unsent).await?;
            tx.commit().await?;
        }
        failure.map_or(Ok(Batch::Sent), Err)
    }

    /// Takes what is due, as much of it as the breaker lets pass.
    async fn take(
        &self,
        tenant: TenantId,
        webhook: WebhookId,
    ) -> Result<Result<Taken, Batch>, StoreError> {
        let _turn = self.turn().await;
        let tx = self.store.begin(&Caller::system(tenant)).await?;
        let Some(record) = tx.webhook_find(webhook).await? else {
            return nothing(tx).await;
        };
        if record.paused.is_some() {
            return nothing(tx).await;
        }
        let now = tx.now();
        let origin = (tenant, origin(&record.spec.url));
        let limit = match self.breakers.look(&origin, now) {
            Passage::Free => BATCH,
            Passage::Probe => 1,
            Passage::Shut { until } => {
                tx.commit().await?;
                let wait = Duration::from_millis(until.ms_since(now));
                return Ok(Err(Batch::Shut { wait }));
            }
        };
        let taken = tx.deliveries_take(webhook, limit, HOLD_MS).await?;
        if taken.is_empty() {
            return nothing(tx).await;
        }
        let hosts = tx.webhook_hosts().await?;
        let secrets = tx.webhook_secrets(&self.installation, webhook).await?;
        if let Passage::Shut { until } = self.breakers.admit(&origin, now) {
            // Another webhook's probe of the same destination was first. What was taken is not kept: no commit.
            let wait = Duration::from_millis(until.ms_since(now));
            return Ok(Err(Batch::Shut { wait }));
        }
        tx.commit().await?;
        let parcel = Parcel {
            tenant,
            webhook,
            url: record.spec.url,
            hosts,
            secrets,
            origin,
            clock: (now, Instant::now()),
        };
        Ok(Ok((parcel, taken)))
    }

    /// Sends one delivery and writes down what became of it. Gives it back when it was not sent
    /// because the breaker had opened.
    async fn attempt(
        &self,
        parcel: &Parcel,
        taken: TakenDelivery,
    ) -> Result<Option<TakenDelivery>, StoreError> {
        if self.breakers.is_open(&parcel.origin) {
            return Ok(Some(taken));
        }
        let began = Instant::now();
        let answer = self.send(parcel, &taken).await;
        let result = result(&answer);
        self.attempts.inc([result]);
        self.took.observe([result], began.elapsed());
        let ended = match &answer {
            Ok(answer) => Ended::Answered {
                status: answer.status,
                retry_after_ms: answer.retry_after_ms,
            },
            Err(_) => Ended::Unanswered,
        };
        self.breakers
            .record(&parcel.origin, ended.is_alive(), parcel.now());
        let status = answer.as_ref().ok().map(|answer| answer.status);
        let error = answer.as_ref().err().map(Unsent::code);
        tracing::debug!(tenant = %parcel.tenant, webhook = %parcel.webhook, delivery = %taken.id, origin = parcel.origin.1, status, error, "delivery was attempted");
        let _turn = self.turn().await;
        self.store
            .retrying(async || self.settle(parcel, &taken, ended, status, error).await)
            .await?;
        Ok(None)
    }

    /// The answer, or why there was none.
    async fn send(&self, parcel: &Parcel, taken: &TakenDelivery) -> Result<Answer, Unsent> {
        let secrets = parcel.secrets.as_deref().ok_or(Unsent::Unreadable)?;
        let headers = headers(secrets, taken, parcel.now());
        let body = taken.body.clone();
        self.egress
            .post(&parcel.url, &parcel.hosts, headers, body)
            .await
            .map_err(Unsent::Egress)
    }

    async fn settle(
        &self,
        parcel: &Parcel,
        taken: &TakenDelivery,
        ended: Ended,
        status: Option<u16>,
        error: Option<&'static str>,
    ) -> Result<(), StoreError> {
        let tx = self.store.begin(&Caller::system(parcel.tenant)).await?;
        let attempts = if taken.event_type == TEST {
            1
        } else {
            ATTEMPTS
        };
        let verdict = after_attempt(taken.id, taken.tries + 1, attempts, ended);
        let settled = Settled {
            state: match verdict {
                Verdict::Delivered => DeliveryState::Delivered,
                Verdict::Again { .. } => DeliveryState::Pending,
                Verdict::Failed | Verdict::Gone => DeliveryState::Failed,
            },
            next_at: match verdict {
                Verdict::Again { delay_ms } => Some(tx.now().plus_ms(delay_ms)),
                Verdict::Delivered | Verdict::Failed | Verdict::Gone => None,
            },
            status,
            error,
        };
        // Not ours to say: somebody else has taken it meanwhile, or it is gone.
        if !tx.delivery_settle(parcel.webhook, taken, &settled).await? {
            return tx.commit().await;
        }
        let paused = match verdict {
            Verdict::Delivered => {
                tx.webhook_recovered(parcel.webhook).await?;
                None
            }
            Verdict::Again { .. } | Verdict::Failed | Verdict::Gone => {
                note_failure(&tx, parcel.webhook, verdict).await?
            }
        };
        tx.commit().await?;
        if settled.state != DeliveryState::Pending {
            self.ended.inc([settled.state.as_str()]);
        }
        if let Some(reason) = paused {
            self.paused.inc([reason.as_str()]);
        }
        Ok(())
    }

    async fn turn(&self) -> tokio::sync::SemaphorePermit<'_> {
        self.transactions
            .acquire()
            .await
            .expect("the semaphore is never closed")
    }
}

impl Parcel {
    /// The database's clock, as far as we can tell without asking it.
    fn now(&self) -> Timestamp {
        let (taken, since) = self.clock;
        taken.plus_ms(u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

async fn nothing(tx: Tx) -> Result<Result<Taken, Batch>, StoreError> {
    tx.commit().await?;
    Ok(Err(Batch::Nothing))
}

/// Notes a failed attempt, and gives the webhook a rest that is gone or keeps failing.
async fn note_failure(
    tx: &Tx,
    webhook: WebhookId,
    verdict: Verdict,
) -> Result<Option<PauseReason>, StoreError> {
    let since = match tx.webhook_failed(webhook).await {
        // It was removed while we sent.
        Err(StoreError::Missing(_)) => return Ok(None),
        since => since?,
    };
    let reason = match verdict {
        Verdict::Gone => PauseReason::Gone,
        _ if keeps_failing(since, tx.now()) => PauseReason::Failing,
        _ => return Ok(None),
    };
    let paused = tx.webhook_pause(webhook, reason).await?;
    if paused {
        tracing::warn!(tenant = %tx.tenant(), webhook = %webhook, reason = reason.as_str(), "webhook {webhook} was paused: its receiver is gone or keeps failing");
    }
    Ok(paused.then_some(reason))
}

/// How the metrics sort an attempt.
fn result(answer: &Result<Answer, Unsent>) -> &'static str {
    match answer {
        Ok(Answer {
            status: 200..=299, ..
        }) => "delivered",
        Ok(_) => "refused",
        Err(Unsent::Egress(EgressError::Denied(_))) => "denied",
        Err(Unsent::Egress(_) | Unsent::Unreadable) => "unanswered",
    }
}

/// What the breaker stands for. A URL that cannot be read stands for itself; the policy refuses it.
fn origin(url: &str) -> String {
    Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.origin().ascii_serialization())
}

/// The headers of Standard Webhooks, signed at `now`.
fn headers(secrets: &[WebhookSecret], taken: &TakenDelivery, now: Timestamp) -> HeaderMap {
    let timestamp_s = now.as_millis().div_euclid(1_000);
    let signatures = signatures(secrets, taken.id, timestamp_s, &taken.body);
    let ours = [
        (CONTENT_TYPE, taken.media_type.clone()),
        (HeaderName::from_static("webhook-id"), taken.id.to_string()),
        (
            HeaderName::from_static("webhook-timestamp"),
            timestamp_s.to_string(),
        ),
        (HeaderName::from_static("webhook-signature"), signatures),
    ];
    ours.into_iter()
        .map(|(name, value)| {
            let value =
                HeaderValue::try_from(value).expect("ids, numbers, Base64 and our own names");
            (name, value)
        })
        .collect()
}
