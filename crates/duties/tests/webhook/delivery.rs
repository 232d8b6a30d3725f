//! What arrives, and how it is signed.

use jobengine_store::DeliveryState;
use sha2::{Digest as _, Sha256};

use crate::house::{House, OTHERS, OURS, job, secret};
use crate::receiver::{Receiver, Says, Seen};

pub(crate) const WELL: Says = Says::Status(200, "");

/// HMAC-SHA-256 by its definition (RFC 2104), apart from the library that signs.
pub(crate) fn hmac(secret: &[u8], message: &[u8]) -> Vec<u8> {
    let pad = |with: u8| -> Vec<u8> {
        let filled = secret.iter().copied().chain(std::iter::repeat(0));
        filled.take(64).map(|byte| byte ^ with).collect()
    };
    let inner = Sha256::digest([pad(0x36), message.to_vec()].concat());
    Sha256::digest([pad(0x5c), inner.to_vec()].concat()).to_vec()
}

/// What a receiver that follows Standard Webhooks computes.
pub(crate) fn expected(secret: &[u8], seen: &Seen) -> String {
    let (id, at) = (seen.header("webhook-id"), seen.header("webhook-timestamp"));
    let message = [format!("{id}.{at}.").into_bytes(), seen.body.clone()].concat();
    format!("v1,{}", base64(&hmac(secret, &message)))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |three: &[u8]| -> String {
        let bits = (0..3).fold(0_usize, |bits, at| {
            bits << 8 | usize::from(three.get(at).copied().unwrap_or(0))
        });
        let digit = |at: usize| {
            if at <= three.len() {
                char::from(DIGITS[bits >> (18 - 6 * at) & 63])
            } else {
                '='
            }
        };
        (0..4).map(digit).collect()
    };
    bytes.chunks(3).map(group).collect()
}

#[tokio::test]
async fn each_event_arrives_once_signed_and_whole() {
    let house = House::open().await;
    let receiver = Receiver::start(WELL).await;
    let webhook = house.webhook(OURS, &receiver.url(), &["job.*"], &[]).await;
    house
        .submit(OURS, &[job("scan"), job("scan"), job("scan")])
        .await;
    house.attempted(webhook, 3).await;
    for _ in 0..5 {
        house.pass().await;
    }
    let seen = receiver.seen();
    assert_eq!(seen.len(), 3);
    for one in &seen {
        assert_eq!(one.header("content-type"), "application/json");
        assert_eq!(
            one.header("webhook-signature"),
            expected(secret().bytes(), one)
        );
        let event = one.json();
        assert_eq!(event["schemaVersion"], "orch.event.v1");
        assert_eq!(event["eventType"], "job.submitted");
        assert_eq!(event["tenantId"], OURS.to_string());
        assert_eq!(event["job"]["type"], "scan");
        assert_eq!(event["correlationId"], "c-81");
    }
    let deliveries = house.deliveries(webhook).await;
    for delivery in &deliveries {
        assert_eq!(delivery.state, DeliveryState::Delivered);
        assert_eq!((delivery.attempts, delivery.status), (1, Some(200)));
        let id = delivery.id.to_string();
        assert_eq!(
            seen.iter()
                .filter(|one| one.header("webhook-id") == id)
                .count(),
            1
        );
    }
}

#[tokio::test]
async fn a_webhook_hears_what_it_asked_for_and_nothing_of_other_tenants() {
    let house = House::open().await;
    let receiver = Receiver::start(WELL).await;
    let scans = house
        .webhook(OURS, &receiver.url(), &["job.submitted"], &["scan"])
        .await;
    house.webhook(OURS, &receiver.url(), &["run.*"], &[]).await;
    let foreign = house.webhook(OTHERS, &receiver.url(), &[], &[]).await;
    house.submit(OURS, &[job("build"), job("scan")]).await;
    house.attempted(scans, 1).await;
    for _ in 0..5 {
        house.pass().await;
    }
    let seen = receiver.seen();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(seen[0].json()["job"]["type"], "scan");
    let tx = house
        .store
        .begin(&jobengine_domain::caller::Caller::system(OURS))
        .await
        .unwrap();
    assert!(tx.webhook_find(foreign).await.unwrap().is_none());
    assert!(
        tx.webhook_secrets(&house.installation, foreign)
            .await
            .is_err()
    );
}
