//! Following the stream: from the moment a webhook is made, over pauses, and never with more waiting than is bounded.

use jobengine_domain::caller::Caller;
use jobengine_domain::webhook::PENDING_MAX;
use jobengine_store::{PauseReason, ResumeFrom};

use crate::delivery::WELL;
use crate::house::{House, OURS, job};
use crate::receiver::Receiver;

#[tokio::test]
async fn a_pause_loses_nothing_unless_it_is_told_to() {
    let house = House::open().await;
    let receiver = Receiver::start(WELL).await;
    house.submit(OURS, &[job("before")]).await;
    // Somebody else's open transaction may hold the horizon back.
    house.all_in_sight().await;
    let webhook = house.webhook(OURS, &receiver.url(), &[], &[]).await;
    let change = async |paused: bool, from: ResumeFrom| {
        let tx = house.store.begin(&Caller::system(OURS)).await.unwrap();
        let changed = if paused {
            tx.webhook_pause(webhook, PauseReason::Operator).await
        } else {
            tx.webhook_resume(webhook, from).await
        };
        assert!(changed.unwrap());
        tx.commit().await.unwrap();
    };
    change(true, ResumeFrom::Cursor).await;
    house.submit(OURS, &[job("meanwhile")]).await;
    for _ in 0..5 {
        house.pass().await;
    }
    assert!(receiver.seen().is_empty());
    change(false, ResumeFrom::Cursor).await;
    house.attempted(webhook, 1).await;
    change(true, ResumeFrom::Cursor).await;
    house.submit(OURS, &[job("skipped")]).await;
    // What was committed below the horizon is behind whoever starts now.
    house.all_in_sight().await;
    change(false, ResumeFrom::Now).await;
    house.submit(OURS, &[job("after")]).await;
    house.attempted(webhook, 2).await;
    let types: Vec<_> = receiver
        .seen()
        .iter()
        .map(|seen| seen.json()["job"]["type"].clone())
        .collect();
    assert_eq!(types, ["meanwhile", "after"]);
}

#[tokio::test]
async fn what_waits_is_bounded_and_the_stream_keeps_the_rest() {
    let house = House::open().await;
    let receiver = Receiver::start(WELL).await;
    let webhook = house.webhook(OURS, &receiver.url(), &[], &[]).await;
    house
        .sql(&format!(
            "INSERT INTO orch.delivery (tenant_id, webhook_id, delivery_id, event_type, media_type, body, state, next_at, created_at)
             SELECT '{OURS}', '{webhook}', gen_random_uuid(), 'x.y', 'application/json', '', 'pending', now() + interval '1 h', now()
             FROM generate_series(1, {PENDING_MAX})"
        ))
        .await;
    house.submit(OURS, &[job("t")]).await;
    house.all_in_sight().await;
    for _ in 0..5 {
        house.pass().await;
    }
    assert!(receiver.seen().is_empty());
    house
        .sql("DELETE FROM orch.delivery WHERE event_type = 'x.y'")
        .await;
    house.attempted(webhook, 1).await;
    assert_eq!(receiver.seen().len(), 1);
}
