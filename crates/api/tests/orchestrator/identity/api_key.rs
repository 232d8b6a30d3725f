//! Service API keys: shown once, bounded by their maker, ended for good.

use jobengine_domain::caller::Scope;
use jobengine_domain::time::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use super::door::now_s;
use crate::service::{Answer, OTHERS, OURS, Person, Service, job, send};

fn in_days(days: i64) -> String {
    Timestamp::from_micros((now_s() + days * 86_400) * 1_000_000).to_string()
}

fn asked(scopes: &[&str]) -> Value {
    json!({"name": "nightly", "scopes": scopes, "expiresAt": in_days(30)})
}

async fn make(person: &Person, request: &Value) -> Answer {
    person.post("/api-keys", request).await
}

async fn made(person: &Person, scopes: &[&str]) -> (String, String) {
    let answer = make(person, &asked(scopes)).await.ok(201);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&answer["key"]), text(&answer["apiKey"]["keyId"]))
}

async fn end(person: &Person, id: &str) -> u16 {
    let request = person.request(Method::DELETE, &format!("/api-keys/{id}"));
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_key_does_what_it_allows_under_its_service_s_name() {
    let service = Service::start().await;
    let ours = service.ours();
    let (key, id) = made(&ours, &["orch:submit", "orch:read"]).await;
    assert!(key.starts_with("jek_"));
    let keyed = ours.with_token(&key);
    let jobs = keyed.submit(json!([job()])).await;
    assert_eq!(ours.state(&jobs[0]).await, "queued", "of the same tenant");
    assert_eq!(keyed.get("/workers").await.status, 200);
    assert_eq!(keyed.claim_answer().await.problem(), (403, "SCOPE_MISSING"));
    assert_eq!(
        keyed.get("/api-keys").await.problem(),
        (403, "SCOPE_MISSING")
    );

    let listed = ours.get("/api-keys").await.ok(200);
    let shown = &listed["items"][0];
    assert_eq!(shown["keyId"], id);
    assert_eq!(shown["name"], "nightly");
    assert_eq!(shown["scopes"], json!(["orch:read", "orch:submit"]));
    assert_eq!(shown["createdBy"], "ours");
    assert!(shown["lastUsedAt"].is_string());
    assert!(!listed.to_string().contains("jek_"));
    let audit = service
        .text("SELECT string_agg(subject || ' ' || credential, ',') FROM orch.audit WHERE operation = 'job_submit'")
        .await;
    assert_eq!(audit, format!("service:nightly key:{id}"));
    // The secret is nowhere in the ledger: neither as it is nor as its bytes.
    let secret = &key[key.len() - 43..];
    let found = service
        .text(&format!(
            "SELECT count(*)::text FROM orch.api_key k, orch.idempotency i
             WHERE k::text LIKE '%{secret}%' OR encode(i.answer, 'escape') LIKE '%{secret}%'"
        ))
        .await;
    assert_eq!(found, "0");
}

#[tokio::test]
async fn an_ended_key_ends_everywhere() {
    let [one, two] = Service::replicas().await;
    let ours = one.ours();
    let (key, id) = made(&ours, &["orch:read"]).await;
    let (here, there) = (ours.with_token(&key), two.ours().with_token(&key));
    assert_eq!(here.get("/jobs").await.status, 200);
    assert_eq!(there.get("/jobs").await.status, 200);
    assert_eq!(end(&one.others(), &id).await, 404, "nobody else's to end");
    assert_eq!(end(&ours, &id).await, 204);
    assert_eq!(here.get("/jobs").await.problem(), (401, "UNAUTHENTICATED"));
    let ended = std::time::Instant::now();
    while there.get("/jobs").await.status == 200 {
        assert!(
            ended.elapsed().as_secs() < 5,
            "five seconds and still believed"
        );
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(end(&ours, &id).await, 204, "ended it is");
    assert_eq!(end(&ours, &uuid::Uuid::from_u128(9).to_string()).await, 404);
    let listed = ours.get("/api-keys").await.ok(200);
    assert!(listed["items"][0]["revokedAt"].is_string());
    assert_eq!(
        one.others().get("/api-keys").await.ok(200)["items"],
        json!([])
    );
}

#[tokio::test]
async fn invented_changed_and_expired_keys_are_refused() {
    let service = Service::start().await;
    let ours = service.ours();
    let (key, _) = made(&ours, &["orch:read"]).await;
    let (name, secret) = key.split_at(58);
    for bad in [
        "jek_".to_owned(),
        name.to_owned(),
        format!("{name}_{}", "A".repeat(43)),
        format!("jek_{}{secret}", "A".repeat(54)),
        format!("{key}A"),
        key.replacen("jek_", "JEK_", 1),
        format!("{key}{key}"),
    ] {
        let answer = ours.with_token(&bad).get("/jobs").await;
        assert_eq!(answer.problem(), (401, "UNAUTHENTICATED"), "{bad}");
    }
    let request = service
        .http
        .get(format!("{}/api/v1/orchestrator/jobs", service.url));
    let as_dpop = request.header("authorization", format!("DPoP {key}"));
    assert_eq!(send(as_dpop).await.status, 401);
    // The secret of one key under the name of another.
    let (key, id) = made(&ours, &["orch:read"]).await;
    let (_, other) = made(&ours, &["orch:read"]).await;
    service
        .sql(&format!(
            "UPDATE orch.api_key SET mac = (SELECT mac FROM orch.api_key WHERE key_id = '{other}') WHERE key_id = '{id}'"
        ))
        .await;
    assert_eq!(ours.with_token(&key).get("/jobs").await.status, 401);

    let (key, id) = made(&ours, &["orch:read"]).await;
    service
        .sql(&format!(
            "UPDATE orch.api_key SET created_at = now() - interval '2 h', expires_at = now() - interval '1 s' WHERE key_id = '{id}'"
        ))
        .await;
    assert_eq!(ours.with_token(&key).get("/jobs").await.status, 401);
}

#[tokio::test]
async fn a_key_gets_no_more_than_its_maker_has() {
    let service = Service::start().await;
    let ours = service.ours();
    let maker = service.acting("maker", OURS, &[Scope::Admin, Scope::Read]);
    assert_eq!(make(&maker, &asked(&["orch:read"])).await.status, 201);
    let beyond = make(&maker, &asked(&["orch:read", "orch:operate"])).await;
    assert_eq!(beyond.problem(), (403, "SCOPE_MISSING"));
    for (field, request) in [
        ("scopes", asked(&["orch:quota", "orch:worker"])),
        ("scopes", asked(&[])),
        ("scopes[0]", asked(&["orch:everything"])),
        ("scopes[1]", asked(&["orch:read", "orch:read"])),
        (
            "name",
            json!({"name": "", "scopes": ["orch:read"], "expiresAt": in_days(1)}),
        ),
        (
            "name",
            json!({"name": "Nightly", "scopes": ["orch:read"], "expiresAt": in_days(1)}),
        ),
        (
            "name",
            json!({"name": "a/b", "scopes": ["orch:read"], "expiresAt": in_days(1)}),
        ),
        (
            "name",
            json!({"name": "a".repeat(65), "scopes": ["orch:read"], "expiresAt": in_days(1)}),
        ),
        (
            "expiresAt",
            json!({"name": "a", "scopes": ["orch:read"], "expiresAt": in_days(-1)}),
        ),
        (
            "expiresAt",
            json!({"name": "a", "scopes": ["orch:read"], "expiresAt": in_days(367)}),
        ),
        (
            "projectId",
            json!({"name": "a", "scopes": ["orch:read"], "expiresAt": in_days(1), "projectId": uuid::Uuid::from_u128(1)}),
        ),
    ] {
        let refused = make(&ours, &request).await;
        assert_eq!(refused.problem(), (422, "REQUEST_INVALID"), "{request}");
        assert_eq!(refused.body["errors"][0]["field"], field, "{request}");
    }
    // A key that leaks does not live on in others.
    let (admin, _) = made(&ours, &["orch:admin", "orch:read"]).await;
    let admin = ours.with_token(&admin);
    let longer = json!({"name": "a", "scopes": ["orch:read"], "expiresAt": in_days(31)});
    assert_eq!(
        make(&admin, &longer).await.problem(),
        (422, "REQUEST_INVALID")
    );
    let shorter = json!({"name": "a", "scopes": ["orch:read"], "expiresAt": in_days(29)});
    assert_eq!(make(&admin, &shorter).await.status, 201);
}

#[tokio::test]
async fn a_key_knows_its_tenant_and_no_other() {
    let service = Service::start().await;
    let (key, _) = made(&service.ours(), &["orch:read"]).await;
    let keyed = service.ours().with_token(&key);
    let theirs = keyed
        .request(Method::GET, "/jobs")
        .header("x-stella-tenant", OTHERS.to_string());
    assert_eq!(send(theirs).await.problem(), (403, "TENANT_MISMATCH"));
    let ours = keyed
        .request(Method::GET, "/jobs")
        .header("x-stella-tenant", OURS.to_string());
    assert_eq!(send(ours).await.status, 200);
}
