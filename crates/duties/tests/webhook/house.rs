//! Two tenants with webhooks, and the duties that serve them.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jobengine_domain::caller::Caller;
use jobengine_domain::egress::EgressPolicy;
use jobengine_domain::id::{DeliveryId, TenantId, WebhookId};
use jobengine_domain::priority::Priority;
use jobengine_domain::webhook::{Filter, WebhookSecret};
use jobengine_duties::driver::Duty as _;
use jobengine_duties::egress::{Authorities, Egress};
use jobengine_duties::webhook::{WebhookFanOut, WebhookSender};
use jobengine_store::secret::InstallationSecret;
use jobengine_store::testing::TestDatabase;
use jobengine_store::{DeliveryRecord, NewJob, NewWebhook, Store, WebhookRecord, WebhookSpec};
use jobengine_telemetry::Registry;
use uuid::Uuid;

pub(crate) const OURS: TenantId = TenantId(Uuid::from_u128(0xa));
pub(crate) const OTHERS: TenantId = TenantId(Uuid::from_u128(0xb));

pub(crate) struct House {
    pub(crate) database: TestDatabase,
    pub(crate) store: Store,
    pub(crate) installation: InstallationSecret,
    pub(crate) fan_out: WebhookFanOut,
    pub(crate) sender: WebhookSender,
    pub(crate) registry: Registry,
}

pub(crate) fn secret() -> WebhookSecret {
    WebhookSecret::from_bytes(&[7; 32]).unwrap()
}

pub(crate) fn job(job_type: &str) -> NewJob {
    NewJob {
        key: String::new(),
        job_type: job_type.into(),
        priority: Priority::Normal,
        payload: "{}".into(),
        max_attempts: 5,
        max_crashes: 3,
        not_before: None,
        deadline: None,
        correlation_id: "c-81".into(),
        project: None,
        source: None,
        tags: Vec::new(),
        traceparent: None,
        replay_of: None,
        parents: Vec::new(),
    }
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::with(EgressPolicy::default().with_loopback()).await
    }

    pub(crate) async fn with(policy: EgressPolicy) -> Self {
        Self::trusting(policy, &Authorities::default()).await
    }

    /// One that trusts these authorities too.
    pub(crate) async fn trusting(policy: EgressPolicy, authorities: &Authorities) -> Self {
        let database = TestDatabase::create().await;
        let store = database.store().await;
        store.tenant_create(OURS, "ours", 1).await.unwrap();
        store.tenant_create(OTHERS, "others", 1).await.unwrap();
        let installation = InstallationSecret::draw();
        let registry = Registry::new();
        Self {
            fan_out: WebhookFanOut::new(store.clone()),
            sender: WebhookSender::new(
                store.clone(),
                Egress::new(policy, authorities),
                installation.clone(),
                &registry,
            ),
            registry,
            database,
            store,
            installation,
        }
    }

    pub(crate) async fn webhook(
        &self,
        tenant: TenantId,
        url: &str,
        events: &[&str],
        jobs: &[&str],
    ) -> WebhookId {
        let set = |names: &[&str]| -> BTreeSet<String> {
            names.iter().map(|name| (*name).to_owned()).collect()
        };
        let new = NewWebhook {
            project: None,
            spec: WebhookSpec {
                name: "w".into(),
                url: url.into(),
                filter: Filter::new(set(events), set(jobs), None).unwrap(),
            },
            secret: secret(),
        };
        let tx = self.store.begin(&Caller::system(tenant)).await.unwrap();
        let made = tx.webhook_create(&self.installation, &new).await.unwrap();
        tx.commit().await.unwrap();
        made.unwrap()
    }

    pub(crate) async fn submit(&self, tenant: TenantId, jobs: &[NewJob]) {
        let tx = self.store.begin(&Caller::system(tenant)).await.unwrap();
        tx.jobs_submit(None, jobs).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub(crate) async fn find(&self, webhook: WebhookId) -> WebhookRecord {
        let tx = self.store.begin(&Caller::system(OURS)).await.unwrap();
        tx.webhook_find(webhook).await.unwrap().unwrap()
    }

    /// The deliveries to a webhook, oldest first.
    pub(crate) async fn deliveries(&self, webhook: WebhookId) -> Vec<DeliveryRecord> {
        let tx = self.store.begin(&Caller::system(OURS)).await.unwrap();
        let mut all = tx.delivery_list(webhook, None, None, 500).await.unwrap();
        all.reverse();
        all
    }

    /// Lets the duties work until something holds.
    pub(crate) async fn until<F: Future<Output = bool>>(&self, holds: impl Fn() -> F) {
        let began = Instant::now();
        while !holds().await {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "it did not come to pass"
            );
            self.pass().await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) async fn pass(&self) {
        self.fan_out.activate().await.unwrap();
        self.sender.activate().await.unwrap();
    }

    /// Lets the duties work until so many attempts at the deliveries of a webhook have been written down.
    pub(crate) async fn attempted(&self, webhook: WebhookId, attempts: u32) {
        self.until(async || {
            let all = self.deliveries(webhook).await;
            all.iter().map(|one| one.attempts).sum::<u32>() >= attempts
        })
        .await;
    }

    pub(crate) async fn redeliver(&self, webhook: WebhookId, delivery: DeliveryId) {
        let tx = self.store.begin(&Caller::system(OURS)).await.unwrap();
        tx.delivery_redeliver(webhook, delivery).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Waits until all that is committed lies below the horizon: readers stay behind every transaction
    /// of the server that is still open, those of other tests included.
    pub(crate) async fn all_in_sight(&self) {
        self.sql(
            "DO $$ DECLARE target xid8 := pg_snapshot_xmax(pg_current_snapshot()); BEGIN
             WHILE pg_snapshot_xmin(pg_current_snapshot()) < target LOOP PERFORM pg_sleep(0.01); END LOOP; END $$",
        )
        .await;
    }

    /// What waits for the clock is due.
    pub(crate) async fn pass_time(&self) {
        self.sql("UPDATE orch.delivery SET next_at = now() WHERE state = 'pending'")
            .await;
    }

    pub(crate) async fn sql(&self, sql: &str) {
        let (client, connection) = self
            .database
            .super_config()
            .connect(tokio_postgres::NoTls)
            .await
            .unwrap();
        let driver = tokio::spawn(connection);
        client.batch_execute(sql).await.unwrap();
        drop(client);
        driver.await.unwrap().unwrap();
    }
}
