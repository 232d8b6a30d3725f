//! Webhooks as their owners see them: made, changed, rotated, tested, and never with their secret.

use jobengine_domain::caller::Scope;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::service::{OURS, Person, Service, send};

const URL: &str = "https://hooks.example.com/jobs";

async fn made(person: &Person) -> (String, String) {
    let request = json!({"name": "chat", "url": URL, "eventTypes": ["job.failed", "run.*"]});
    let answer = person.post("/webhooks", &request).await.ok(201);
    let id = answer["webhook"]["webhookId"].as_str().unwrap();
    let secret = answer["secret"].as_str().unwrap();
    (format!("/webhooks/{id}"), secret.to_owned())
}

async fn change(person: &Person, path: &str, body: &Value) -> crate::service::Answer {
    send(person.request(Method::PATCH, path).json(body)).await
}

#[tokio::test]
async fn a_secret_is_shown_once() {
    let service = Service::start().await;
    let ours = service.ours();
    let (webhook, secret) = made(&ours).await;
    assert!(
        secret.starts_with("whsec_") && secret.len() == 50,
        "{secret}"
    );
    let read = ours.get(&webhook).await.ok(200);
    assert_eq!(read["state"], "active");
    assert_eq!(read["eventTypes"], json!(["job.failed", "run.*"]));
    let list = ours.get("/webhooks").await.ok(200);
    assert_eq!(list["items"], json!([read]));
    assert!(!list.to_string().contains("whsec_"));

    let given = format!("whsec_{}=", "A".repeat(43));
    let rotate = json!({"secret": given, "overlapSeconds": 60});
    let path = format!("{webhook}:rotate-secret");
    let answer = ours.post(&path, &rotate).await.ok(200);
    assert_eq!(answer["secret"], given);
    assert!(answer["webhook"]["oldSecretUntil"].is_string());
    for bad in [
        json!({"secret": "whsec_AAAA"}),
        json!({"secret": "hunter2hunter2hunter2hunter2hunter2"}),
        json!({"overlapSeconds": 604_801}),
    ] {
        let refused = ours.post(&path, &bad).await;
        assert!(!refused.body.to_string().contains("hunter2"));
        assert_eq!(refused.problem(), (422, "REQUEST_INVALID"), "{bad}");
    }
}

#[tokio::test]
async fn a_url_is_judged_when_it_comes() {
    let service = Service::start().await;
    let ours = service.ours();
    let (webhook, _) = made(&ours).await;
    for (url, code) in [
        ("http://hooks.example.com/", "URL_SCHEME"),
        ("https://hooks.example.com:22/", "URL_PORT"),
        ("https://user@hooks.example.com/", "URL_CREDENTIALS"),
        ("https://127.0.0.1/", "ADDRESS_DENIED"),
        ("https://0x7f000001/", "ADDRESS_DENIED"),
        ("https://[::ffff:169.254.169.254]/", "ADDRESS_DENIED"),
        ("https://10.0.0.1/", "ADDRESS_DENIED"),
        ("hooks.example.com", "URL_INVALID"),
    ] {
        let request = json!({"name": "x", "url": url});
        for answer in [
            ours.post("/webhooks", &request).await,
            change(&ours, &webhook, &json!({"url": url})).await,
        ] {
            assert_eq!(answer.problem(), (422, "WEBHOOK_URL_DENIED"), "{url}");
            assert_eq!(answer.body["errors"][0]["code"], code, "{url}");
        }
    }
    let hosts = json!({"hosts": ["*.example.org"]});
    let confined = send(ours.request(Method::PUT, "/webhook-hosts").json(&hosts)).await;
    assert_eq!(confined.ok(200), hosts);
    let answer = ours
        .post("/webhooks", &json!({"name": "x", "url": URL}))
        .await;
    assert_eq!(answer.body["errors"][0]["code"], "HOST_NOT_LISTED");
    let bad = json!({"hosts": ["https://a"]});
    let refused = send(ours.request(Method::PUT, "/webhook-hosts").json(&bad)).await;
    assert_eq!(refused.problem(), (422, "REQUEST_INVALID"));
    let manager = service.acting("m", OURS, &[Scope::Webhook]);
    let refused = send(manager.request(Method::PUT, "/webhook-hosts").json(&hosts)).await;
    assert_eq!(refused.problem(), (403, "SCOPE_MISSING"));
}

#[tokio::test]
async fn a_change_keeps_what_it_does_not_name() {
    let service = Service::start().await;
    let ours = service.ours();
    let (webhook, _) = made(&ours).await;
    let run = Uuid::from_u128(7);
    let changed = change(
        &ours,
        &webhook,
        &json!({"runId": run, "jobTypes": ["scan"]}),
    )
    .await;
    let changed = changed.ok(200);
    assert_eq!(changed["runId"], run.to_string());
    assert_eq!(changed["eventTypes"], json!(["job.failed", "run.*"]));
    let changed = change(&ours, &webhook, &json!({"name": "n"})).await.ok(200);
    assert_eq!(
        (&changed["name"], &changed["runId"]),
        (&json!("n"), &json!(run.to_string()))
    );
    let changed = change(&ours, &webhook, &json!({"runId": null})).await;
    assert!(changed.ok(200).get("runId").is_none());
    for bad in [
        json!({"eventTypes": ["job.exploded"]}),
        json!({"name": ""}),
        json!({"jobTypes": ["a\nb"]}),
        json!({"state": "paused"}),
    ] {
        let refused = change(&ours, &webhook, &bad).await;
        assert_eq!(refused.problem(), (422, "REQUEST_INVALID"), "{bad}");
    }
}

#[tokio::test]
async fn a_paused_webhook_is_resumed_before_it_is_tested() {
    let service = Service::start().await;
    let ours = service.ours();
    let (webhook, _) = made(&ours).await;
    let test = format!("{webhook}:test");
    let sent = ours.post(&test, &json!({})).await.ok(202);
    assert_eq!(
        (&sent["state"], &sent["eventType"]),
        (&json!("pending"), &json!("webhook.test"))
    );
    let deliveries = format!("{webhook}/deliveries");
    let list = ours
        .get(&format!("{deliveries}?state=pending"))
        .await
        .ok(200);
    assert_eq!(list["items"], json!([sent]));
    let again = format!(
        "{deliveries}/{}:redeliver",
        sent["deliveryId"].as_str().unwrap()
    );
    let refused = ours.post(&again, &json!({})).await;
    assert_eq!(refused.problem(), (409, "DELIVERY_PENDING"));

    let paused = ours
        .post(&format!("{webhook}:pause"), &json!({}))
        .await
        .ok(200);
    assert_eq!(
        (&paused["state"], &paused["pauseReason"]),
        (&json!("paused"), &json!("operator"))
    );
    let refused = ours.post(&test, &json!({})).await;
    assert_eq!(refused.problem(), (409, "WEBHOOK_PAUSED"));
    let resume = format!("{webhook}:resume?from=now");
    let resumed = ours.post(&resume, &json!({})).await.ok(200);
    assert_eq!(resumed["state"], "active");

    let removed = ours.request(Method::DELETE, &webhook).send().await.unwrap();
    assert_eq!(removed.status(), 204);
    assert_eq!(ours.get(&webhook).await.problem(), (404, "NOT_FOUND"));
    assert_eq!(ours.get(&deliveries).await.problem(), (404, "NOT_FOUND"));
}

#[tokio::test]
async fn another_tenant_s_webhook_does_not_exist() {
    let service = Service::start().await;
    let (ours, others) = (service.ours(), service.others());
    let (webhook, _) = made(&ours).await;
    let sent = ours
        .post(&format!("{webhook}:test"), &json!({}))
        .await
        .ok(202);
    let delivery = sent["deliveryId"].as_str().unwrap();
    assert_eq!(others.get("/webhooks").await.ok(200)["items"], json!([]));
    assert_eq!(others.get(&webhook).await.problem(), (404, "NOT_FOUND"));
    for verb in [":test", ":pause", ":resume", ":rotate-secret"] {
        let path = format!("{webhook}{verb}");
        let answer = others.post(&path, &json!({})).await;
        assert_eq!(answer.problem(), (404, "NOT_FOUND"), "{verb}");
    }
    let path = format!("{webhook}/deliveries/{delivery}:redeliver");
    assert_eq!(
        others.post(&path, &json!({})).await.problem(),
        (404, "NOT_FOUND")
    );
    let renamed = change(&others, &webhook, &json!({"name": "n"})).await;
    assert_eq!(renamed.problem(), (404, "NOT_FOUND"));
    let removed = send(others.request(Method::DELETE, &webhook)).await;
    assert_eq!(removed.problem(), (404, "NOT_FOUND"));
}

#[tokio::test]
async fn a_tenant_has_a_bounded_number_of_webhooks() {
    let service = Service::start().await;
    let ours = service.ours();
    let request = json!({"name": "chat", "url": URL});
    for _ in 0..50 {
        ours.post("/webhooks", &request).await.ok(201);
    }
    let refused = ours.post("/webhooks", &request).await;
    assert_eq!(refused.problem(), (409, "WEBHOOK_LIMIT"));
}
