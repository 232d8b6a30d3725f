//! What leaves is the signed event, once.

use std::collections::BTreeSet;
use std::time::Duration;

use jobengine_domain::dsse::verify;
use jobengine_domain::statement::STATEMENT_PAYLOAD_TYPE;
use jobengine_domain::webhook::Filter;
use jobengine_duties::driver::Duty as _;
use jobengine_duties::outbox::Outbox;
use jobengine_duties::webhook::WebhookFanOut;
use jobengine_store::secret::InstallationSecret;
use jobengine_store::{NewWebhook, WebhookSpec, draw_webhook_secret};

use crate::flow::Flow;

#[tokio::test]
async fn the_event_leaves_through_the_outbox_once() {
    let flow = Flow::open().await;
    flow.image("one", &["pkg:npm/a@1.0.0"]).await;
    let run = flow.turn().await.expect("the image is new").id;
    let spool = tempfile::tempdir().unwrap();
    let outbox = Outbox::new(flow.store.clone(), spool.path().to_owned());
    assert_eq!(outbox.activate().await.unwrap().done, 1);
    assert_eq!(outbox.activate().await.unwrap().done, 0);
    let file = spool
        .path()
        .join(flow.caller.tenant.to_string())
        .join(format!("run-completion.{run}.dsse.json"));
    let envelope = std::fs::read(file).unwrap();
    assert!(verify(&envelope, STATEMENT_PAYLOAD_TYPE, &[flow.key.public()]).is_ok());
}

#[tokio::test]
async fn a_webhook_is_sent_the_signed_event_itself() {
    let flow = Flow::open().await;
    let new = NewWebhook {
        project: None,
        spec: WebhookSpec {
            name: "w".into(),
            url: "https://hooks.example.com/".into(),
            filter: Filter::new(["run.completed".to_owned()].into(), BTreeSet::new(), None)
                .unwrap(),
        },
        secret: draw_webhook_secret(),
    };
    let tx = flow.store.begin(&flow.caller).await.unwrap();
    let made = tx.webhook_create(&InstallationSecret::draw(), &new).await;
    let webhook = made.unwrap().unwrap();
    tx.commit().await.unwrap();
    flow.image("one", &["pkg:npm/a@1.0.0"]).await;
    let run = flow.turn().await.expect("the image is new").id;
    let fan_out = WebhookFanOut::new(flow.store.clone());
    let sent = loop {
        fan_out.activate().await.unwrap();
        let tx = flow.store.begin(&flow.caller).await.unwrap();
        let taken = tx.deliveries_take(webhook, 10, 60_000).await.unwrap();
        tx.commit().await.unwrap();
        if !taken.is_empty() {
            break taken;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].event_type, "run.completed");
    assert_eq!(sent[0].media_type, "application/vnd.dsse.envelope.v1+json");
    let tx = flow.store.begin(&flow.caller).await.unwrap();
    let (envelope, _) = tx.impact_run_completion(run).await.unwrap().unwrap();
    assert_eq!(sent[0].body, envelope.as_bytes());
    assert!(verify(&sent[0].body, STATEMENT_PAYLOAD_TYPE, &[flow.key.public()]).is_ok());
}
