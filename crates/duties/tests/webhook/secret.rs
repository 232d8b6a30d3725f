//! Secrets: two while they rotate, and none that can be read from the database.

use jobengine_domain::caller::Caller;
use jobengine_domain::digest::Digest;
use jobengine_domain::egress::EgressPolicy;
use jobengine_domain::id::WebhookId;
use jobengine_domain::webhook::WebhookSecret;
use jobengine_duties::egress::{Authorities, Egress};
use jobengine_duties::webhook::WebhookSender;
use jobengine_store::secret::InstallationSecret;
use jobengine_telemetry::Registry;

use crate::delivery::{WELL, expected};
use crate::house::{House, OURS, job, secret};
use crate::receiver::Receiver;

async fn rotate(house: &House, webhook: WebhookId, to: &WebhookSecret, overlap_ms: Option<u64>) {
    let tx = house.store.begin(&Caller::system(OURS)).await.unwrap();
    let until = overlap_ms.map(|overlap_ms| tx.now().plus_ms(overlap_ms));
    tx.webhook_rotate(&house.installation, webhook, to, until)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn both_secrets_sign_until_the_old_one_ends() {
    let house = House::open().await;
    let receiver = Receiver::start(WELL).await;
    let webhook = house.webhook(OURS, &receiver.url(), &[], &[]).await;
    let second = WebhookSecret::from_bytes(&[8; 40]).unwrap();
    rotate(&house, webhook, &second, Some(60_000)).await;
    house.submit(OURS, &[job("t")]).await;
    house.attempted(webhook, 1).await;
    let seen = receiver.seen().remove(0);
    let both = format!(
        "{} {}",
        expected(second.bytes(), &seen),
        expected(secret().bytes(), &seen)
    );
    assert_eq!(seen.header("webhook-signature"), both);

    house
        .sql("UPDATE orch.webhook SET old_secret_until = now()")
        .await;
    house.submit(OURS, &[job("t")]).await;
    house.attempted(webhook, 2).await;
    let seen = receiver.seen().remove(1);
    assert_eq!(
        seen.header("webhook-signature"),
        expected(second.bytes(), &seen)
    );

    // After a leak nothing of the old one stays.
    rotate(&house, webhook, &secret(), None).await;
    house.submit(OURS, &[job("t")]).await;
    house.attempted(webhook, 3).await;
    let seen = receiver.seen().remove(2);
    assert_eq!(
        seen.header("webhook-signature"),
        expected(secret().bytes(), &seen)
    );
}

#[tokio::test]
async fn a_stolen_database_signs_nothing() {
    let mut house = House::open().await;
    let receiver = Receiver::start(WELL).await;
    let (one, other) = (
        house.webhook(OURS, &receiver.url(), &[], &[]).await,
        house.webhook(OURS, &receiver.url(), &["run.*"], &[]).await,
    );
    let bare = Digest::from_bytes([7; 32]).hex();
    house
        .sql(&format!(
            "DO $$ BEGIN ASSERT NOT EXISTS (SELECT FROM orch.webhook WHERE position('\\x{bare}'::bytea in secret) > 0); END $$"
        ))
        .await;
    // Moved to another row, a sealed secret opens nothing.
    house
        .sql(&format!(
            "UPDATE orch.webhook SET secret = (SELECT secret FROM orch.webhook WHERE webhook_id = '{one}') WHERE webhook_id = '{other}'"
        ))
        .await;
    let tx = house.store.begin(&Caller::system(OURS)).await.unwrap();
    let moved = tx
        .webhook_secrets(&house.installation, other)
        .await
        .unwrap();
    assert!(moved.is_none());
    tx.commit().await.unwrap();

    let egress = Egress::new(
        EgressPolicy::default().with_loopback(),
        &Authorities::default(),
    );
    let stranger = InstallationSecret::draw();
    house.sender = WebhookSender::new(house.store.clone(), egress, stranger, &Registry::new());
    house.submit(OURS, &[job("t")]).await;
    house.attempted(one, 1).await;
    let delivery = house.deliveries(one).await.remove(0);
    assert_eq!(delivery.error.as_deref(), Some("SECRET_UNREADABLE"));
    assert!(receiver.seen().is_empty());
}
