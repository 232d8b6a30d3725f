//! Nobody waits for somebody else's receiver, and a process that ends takes nothing with it.

use std::time::{Duration, Instant};

use jobengine_domain::egress::EgressPolicy;
use jobengine_duties::egress::{Authorities, Egress};
use jobengine_duties::webhook::{WebhookFanOut, WebhookSender};
use jobengine_store::DeliveryState;
use jobengine_telemetry::Registry;

use crate::delivery::WELL;
use crate::house::{House, OTHERS, OURS, job};
use crate::receiver::{Receiver, Says};

#[tokio::test]
async fn a_receiver_that_hangs_delays_nobody_else() {
    let house = House::open().await;
    let (hangs, answers) = (
        Receiver::start(Says::Nothing).await,
        Receiver::start(WELL).await,
    );
    for _ in 0..3 {
        house.webhook(OTHERS, &hangs.url(), &[], &[]).await;
        house.webhook(OURS, &hangs.url(), &[], &[]).await;
    }
    let webhook = house.webhook(OURS, &answers.url(), &[], &[]).await;
    let jobs: Vec<_> = (0..20).map(|_| job("t")).collect();
    house.submit(OTHERS, &jobs).await;
    house.until(async || hangs.seen().len() >= 3).await;
    house.submit(OURS, &jobs).await;
    let began = Instant::now();
    house.attempted(webhook, 20).await;
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(answers.seen().len(), 20);
}

#[tokio::test]
async fn a_process_that_ends_loses_nothing() {
    let mut house = House::open().await;
    let receiver = Receiver::start(Says::Nothing).await;
    let webhook = house.webhook(OURS, &receiver.url(), &[], &[]).await;
    house.submit(OURS, &[job("t"), job("t"), job("t")]).await;
    house.until(async || receiver.seen().len() == 3).await;
    // Killed while all three are on their way: the ledger says that they wait.
    let egress = Egress::new(
        EgressPolicy::default().with_loopback(),
        &Authorities::default(),
    );
    house.sender = WebhookSender::new(
        house.store.clone(),
        egress,
        house.installation.clone(),
        &Registry::new(),
    );
    house.fan_out = WebhookFanOut::new(house.store.clone());
    receiver.say(WELL);
    house.pass().await;
    let held = house.deliveries(webhook).await;
    assert!(held.iter().all(|one| one.state == DeliveryState::Pending));
    house.pass_time().await;
    house.attempted(webhook, 3).await;
    let all = house.deliveries(webhook).await;
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|one| one.state == DeliveryState::Delivered));
    let seen = receiver.seen();
    for delivery in all {
        let id = delivery.id.to_string();
        let copies = seen.iter().filter(|one| one.header("webhook-id") == id);
        assert_eq!(copies.count(), 2, "once before and once after");
    }
}

#[tokio::test]
async fn two_processes_send_each_delivery_once() {
    let house = House::open().await;
    let receiver = Receiver::start(WELL).await;
    let webhook = house.webhook(OURS, &receiver.url(), &[], &[]).await;
    let egress = Egress::new(
        EgressPolicy::default().with_loopback(),
        &Authorities::default(),
    );
    let twin = House {
        database: jobengine_store::testing::TestDatabase::empty().await,
        store: house.store.clone(),
        installation: house.installation.clone(),
        fan_out: WebhookFanOut::new(house.store.clone()),
        sender: WebhookSender::new(
            house.store.clone(),
            egress,
            house.installation.clone(),
            &Registry::new(),
        ),
        registry: Registry::new(),
    };
    let jobs: Vec<_> = (0..100).map(|_| job("t")).collect();
    house.submit(OURS, &jobs).await;
    tokio::join!(house.attempted(webhook, 100), twin.attempted(webhook, 100));
    assert_eq!(house.deliveries(webhook).await.len(), 100);
    assert_eq!(receiver.seen().len(), 100);
}
