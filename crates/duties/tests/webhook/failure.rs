//! What happens when the receiver does not take it.

use std::time::Duration;

use jobengine_domain::caller::Caller;
use jobengine_domain::egress::EgressPolicy;
use jobengine_domain::webhook::RETENTION_MS;
use jobengine_duties::driver::Duty as _;
use jobengine_duties::webhook::WebhookRetention;
use jobengine_store::{DeliveryState, PauseReason, ResumeFrom};

use crate::delivery::WELL;
use crate::house::{House, OURS, job};
use crate::receiver::{Receiver, Says};

#[tokio::test]
async fn a_failure_is_tried_again_with_the_same_id_and_bytes() {
    let house = House::open().await;
    let receiver = Receiver::start(Says::Status(500, "")).await;
    let webhook = house.webhook(OURS, &receiver.url(), &[], &[]).await;
    house.submit(OURS, &[job("t")]).await;
    house.attempted(webhook, 1).await;
    let delivery = house.deliveries(webhook).await.remove(0);
    assert_eq!(
        (delivery.state, delivery.status),
        (DeliveryState::Pending, Some(500))
    );
    let wait = delivery
        .next_at
        .unwrap()
        .ms_since(delivery.attempted_at.unwrap());
    assert!((5_000..=5_500).contains(&wait), "{wait} ms");
    assert_eq!(house.find(webhook).await.failing.unwrap().0, 1);
    assert_eq!(house.store.gauges().await.unwrap().deliveries, 1);
    receiver.say(WELL);
    house.pass_time().await;
    house.attempted(webhook, 2).await;
    let seen = receiver.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].header("webhook-id"), seen[1].header("webhook-id"));
    assert_eq!(seen[0].body, seen[1].body);
    let delivery = house.deliveries(webhook).await.remove(0);
    assert_eq!(
        (delivery.state, delivery.attempts),
        (DeliveryState::Delivered, 2)
    );
    assert!(house.find(webhook).await.failing.is_none());
}

#[tokio::test]
async fn a_receiver_that_asks_for_time_gets_it_and_a_redirect_leads_nowhere() {
    let house = House::open().await;
    let inside = Receiver::start(WELL).await;
    let location = format!("location: {}\r\n", inside.url());
    let redirecting = Receiver::start(Says::Status(308, location.leak())).await;
    let busy = Receiver::start(Says::Status(429, "retry-after: 3600\r\n")).await;
    let redirected = house.webhook(OURS, &redirecting.url(), &[], &[]).await;
    let asked = house.webhook(OURS, &busy.url(), &[], &[]).await;
    house.submit(OURS, &[job("t")]).await;
    house.attempted(redirected, 1).await;
    house.attempted(asked, 1).await;
    assert!(inside.seen().is_empty());
    let delivery = house.deliveries(redirected).await.remove(0);
    assert_eq!(
        (delivery.state, delivery.status),
        (DeliveryState::Pending, Some(308))
    );
    let delivery = house.deliveries(asked).await.remove(0);
    let wait = delivery
        .next_at
        .unwrap()
        .ms_since(delivery.attempted_at.unwrap());
    assert_eq!(wait, 3_600_000);
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_left_in_peace() {
    let house = House::open().await;
    let receiver = Receiver::start(Says::Status(410, "")).await;
    let webhook = house.webhook(OURS, &receiver.url(), &[], &[]).await;
    house.submit(OURS, &[job("t")]).await;
    house.attempted(webhook, 1).await;
    let paused = house.find(webhook).await.paused;
    assert_eq!(paused.unwrap().0, PauseReason::Gone);
    house.submit(OURS, &[job("t")]).await;
    house.pass_time().await;
    for _ in 0..5 {
        house.pass().await;
    }
    assert_eq!(receiver.seen().len(), 1);
}

#[tokio::test]
async fn the_schedule_ends_in_a_pause_that_is_told_and_a_person_may_send_again() {
    let house = House::open().await;
    let (dead, alive) = (
        Receiver::start(Says::Status(503, "")).await,
        Receiver::start(WELL).await,
    );
    let webhook = house.webhook(OURS, &dead.url(), &["job.*"], &[]).await;
    let witness = house.webhook(OURS, &alive.url(), &["webhook.*"], &[]).await;
    house.submit(OURS, &[job("t")]).await;
    house.attempted(webhook, 1).await;
    house
        .sql(
            "UPDATE orch.delivery SET tries = 9, attempts = 9, next_at = now() WHERE attempts = 1;
              UPDATE orch.webhook SET failing_since = now() - interval '73 h' WHERE failures > 0",
        )
        .await;
    house.attempted(webhook, 10).await;
    let delivery = house.deliveries(webhook).await.remove(0);
    assert_eq!(delivery.state, DeliveryState::Failed);
    let gauges = house.store.gauges().await.unwrap();
    assert_eq!(gauges.deliveries, 0);
    for stand in [("active", 1), ("operator", 0), ("failing", 1), ("gone", 0)] {
        let stand = (stand.0.to_owned(), stand.1);
        assert!(
            gauges.webhooks.contains(&stand),
            "{stand:?}: {:?}",
            gauges.webhooks
        );
    }
    let text = house.registry.render();
    for line in [
        r#"jobengine_webhook_deliveries_ended_total{state="failed"} 1"#,
        r#"jobengine_webhooks_paused_total{reason="failing"} 1"#,
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    let paused = house.find(webhook).await.paused;
    assert_eq!(paused.unwrap().0, PauseReason::Failing);
    house.attempted(witness, 1).await;
    let told = alive.seen()[0].json();
    assert_eq!(told["eventType"], "webhook.paused");
    assert_eq!(told["job"]["reason"], webhook.to_string());

    dead.say(WELL);
    let tx = house.store.begin(&Caller::system(OURS)).await.unwrap();
    assert!(
        tx.webhook_resume(webhook, ResumeFrom::Cursor)
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    house.redeliver(webhook, delivery.id).await;
    house.attempted(webhook, 11).await;
    let again = house.deliveries(webhook).await.remove(0);
    assert_eq!(again.state, DeliveryState::Delivered);
    assert_eq!(again.id, delivery.id);
}

#[tokio::test]
async fn the_policy_is_asked_at_every_delivery() {
    let receiver = Receiver::start(WELL).await;
    let policy = EgressPolicy::default().with_http();
    let house = House::with(policy.with_port(receiver.port)).await;
    let webhook = house.webhook(OURS, &receiver.url(), &[], &[]).await;
    house.submit(OURS, &[job("t")]).await;
    house.attempted(webhook, 1).await;
    let delivery = house.deliveries(webhook).await.remove(0);
    assert_eq!(delivery.error.as_deref(), Some("ADDRESS_DENIED"));
    assert_eq!(
        (delivery.state, delivery.status),
        (DeliveryState::Pending, None)
    );
    assert!(receiver.seen().is_empty());
}

#[tokio::test]
async fn a_dead_receiver_is_not_asked_again_and_again() {
    let house = House::open().await;
    let receiver = Receiver::start(Says::Status(502, "")).await;
    let webhook = house.webhook(OURS, &receiver.url(), &[], &[]).await;
    let jobs: Vec<_> = (0..40).map(|_| job("t")).collect();
    house.submit(OURS, &jobs).await;
    house.attempted(webhook, 5).await;
    for _ in 0..20 {
        house.pass().await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Five failures in a row open the breaker; what was on its way beside the fifth still arrives.
    let asked = receiver.seen().len();
    assert!((5..=8).contains(&asked), "{asked} requests");
    let untouched = house.deliveries(webhook).await;
    let untouched = untouched.iter().filter(|delivery| delivery.attempts == 0);
    assert_eq!(untouched.count(), 40 - asked);
}

#[tokio::test]
async fn old_deliveries_go() {
    let house = House::open().await;
    let receiver = Receiver::start(WELL).await;
    let webhook = house.webhook(OURS, &receiver.url(), &[], &[]).await;
    house.submit(OURS, &[job("t"), job("t")]).await;
    house.attempted(webhook, 2).await;
    let old = house.deliveries(webhook).await.remove(0).id;
    let age_s = RETENTION_MS / 1_000 + 60;
    house
        .sql(&format!(
            "UPDATE orch.delivery SET created_at = now() - interval '{age_s} s' WHERE delivery_id = '{old}'"
        ))
        .await;
    let report = WebhookRetention::new(house.store.clone())
        .activate()
        .await
        .unwrap();
    assert_eq!(report.done, 1);
    let left = house.deliveries(webhook).await;
    assert!(left.len() == 1 && left[0].id != old);
}
