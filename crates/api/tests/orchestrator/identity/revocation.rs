//! Credentials taken back before they expire, in every process.

use std::time::{Duration, Instant};

use jobengine_domain::caller::Scope;
use jobengine_domain::time::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use super::door::now_s;
use super::signer::part;
use crate::service::{OURS, Person, Service};

async fn revoke(person: &Person, what: &Value) -> Value {
    person.post("/identity/revocations", what).await.ok(201)
}

/// What stands in a token.
fn inside(token: &str) -> Value {
    use base64::Engine as _;
    let body = token.split('.').nth(1).unwrap();
    let json = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(body)
        .unwrap();
    assert_eq!(part(&json), body);
    serde_json::from_slice(&json).unwrap()
}

#[tokio::test]
async fn a_principal_s_tokens_are_refused_everywhere_and_its_next_ones_are_not() {
    let [one, two] = Service::replicas().await;
    let admin = one.ours();
    let alice = one.acting("alice", OURS, &[Scope::Read]);
    let there = two.ours().with_token(alice.token());
    let bob = one.acting("bob", OURS, &[Scope::Read]);
    assert_eq!(alice.get("/jobs").await.status, 200);
    assert_eq!(there.get("/jobs").await.status, 200);
    let made = revoke(&admin, &json!({"subject": "alice"})).await;
    assert_eq!(made["subject"], "alice");
    assert_eq!(made["createdBy"], "ours");
    assert_eq!(
        alice.get("/jobs").await.problem(),
        (401, "UNAUTHENTICATED"),
        "at once where it was said"
    );
    let said = Instant::now();
    while there.get("/jobs").await.status == 200 {
        assert!(
            said.elapsed().as_secs() < 5,
            "five seconds and still believed"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(bob.get("/jobs").await.status, 200);
    // Tokens count in seconds.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let alice = one.acting("alice", OURS, &[Scope::Read]);
    assert_eq!(alice.get("/jobs").await.status, 200, "issued after");
}

#[tokio::test]
async fn one_token_is_refused_and_may_be_believed_again() {
    let service = Service::start().await;
    let admin = service.ours();
    let [lost, kept] = [(), ()].map(|()| service.acting("alice", OURS, &[Scope::Read]));
    let jti = inside(lost.token())["jti"].clone();
    let made = revoke(&admin, &json!({"tokenId": jti})).await;
    assert_eq!(lost.get("/jobs").await.status, 401);
    assert_eq!(kept.get("/jobs").await.status, 200);

    let listed = admin.get("/identity/revocations").await.ok(200);
    assert_eq!(listed["items"], json!([made]));
    let others = service.others();
    assert_eq!(
        others.get("/identity/revocations").await.ok(200)["items"],
        json!([])
    );
    let path = format!(
        "/identity/revocations/{}",
        made["revocationId"].as_str().unwrap()
    );
    let take_back = async |person: &Person| {
        person
            .request(Method::DELETE, &path)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(take_back(&others).await, 404);
    assert_eq!(take_back(&admin).await, 204);
    assert_eq!(take_back(&admin).await, 404);
    assert_eq!(lost.get("/jobs").await.status, 200);
}

#[tokio::test]
async fn another_tenant_s_words_do_not_count_here() {
    let service = Service::start().await;
    let alice = service.acting("alice", OURS, &[Scope::Read]);
    revoke(&service.others(), &json!({"subject": "alice"})).await;
    revoke(
        &service.others(),
        &json!({"tokenId": inside(alice.token())["jti"]}),
    )
    .await;
    assert_eq!(alice.get("/jobs").await.status, 200);
}

#[tokio::test]
async fn a_revoked_service_loses_its_keys_for_good() {
    let service = Service::start().await;
    let admin = service.ours();
    let expires = Timestamp::from_micros((now_s() + 86_400) * 1_000_000);
    let mut keys = Vec::new();
    for name in ["nightly", "daily"] {
        let request = json!({"name": name, "scopes": ["orch:read"], "expiresAt": expires});
        let made = admin.post("/api-keys", &request).await.ok(201);
        keys.push(admin.with_token(made["key"].as_str().unwrap()));
    }
    let made = revoke(&admin, &json!({"subject": "service:nightly"})).await;
    until_refused(&keys[0]).await;
    assert_eq!(keys[1].get("/jobs").await.status, 200);
    let path = format!(
        "/identity/revocations/{}",
        made["revocationId"].as_str().unwrap()
    );
    let taken_back = admin.request(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(taken_back.status(), 204);
    assert_eq!(keys[0].get("/jobs").await.status, 401);
}

async fn until_refused(person: &Person) {
    let since = Instant::now();
    while person.get("/jobs").await.status == 200 {
        assert!(
            since.elapsed().as_secs() < 5,
            "five seconds and still believed"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn what_cannot_be_revoked_is_refused() {
    let service = Service::start().await;
    let admin = service.ours();
    let later = Timestamp::from_micros((now_s() + 7_200) * 1_000_000);
    for (field, request) in [
        ("subject", json!({})),
        ("subject", json!({"subject": "a", "tokenId": "b"})),
        ("subject", json!({"subject": ""})),
        ("tokenId", json!({"tokenId": "x".repeat(257)})),
        (
            "notBefore",
            json!({"tokenId": "a", "notBefore": "2026-01-01T00:00:00Z"}),
        ),
        ("notBefore", json!({"subject": "a", "notBefore": later})),
        (
            "notBefore",
            json!({"subject": "a", "notBefore": "yesterday"}),
        ),
        ("all", json!({"all": true})),
    ] {
        let answer = admin.post("/identity/revocations", &request).await;
        assert_eq!(answer.problem(), (422, "REQUEST_INVALID"), "{request}");
        assert_eq!(answer.body["errors"][0]["field"], field, "{request}");
    }
}

#[tokio::test]
async fn when_nobody_can_tell_nobody_is_believed() {
    let service = Service::start().await;
    let alice = service.acting("alice", OURS, &[Scope::Read]);
    service
        .sql("ALTER TABLE orch.revocation RENAME TO elsewhere")
        .await;
    let answer = alice.get("/jobs").await;
    assert_eq!(answer.problem(), (500, "INTERNAL"));
    service
        .sql("ALTER TABLE orch.elsewhere RENAME TO revocation")
        .await;
    assert_eq!(alice.get("/jobs").await.status, 200);
}
