//! Tokens, scopes and tenants.

use jobengine_domain::caller::Scope;
use jobengine_domain::id::TenantId;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::service::{OTHERS, OURS, SESSION, Service, job, report, send};

/// Every operation of the contract with its scope.
fn operations() -> Vec<(Method, String, Option<String>)> {
    let document = serde_json::to_value(jobengine_api::document()).unwrap();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let scope = operation["x-scope"].as_str().unwrap();
            let scope = (scope != "public").then(|| scope.to_owned());
            let path = path
                .replace("{name}", "lease-lost")
                .replace("{digest}", &format!("sha256:{}", "0".repeat(64)));
            // Every other place holds an id.
            let path = with_ids(&path);
            all.push((method, path, scope));
        }
    }
    all
}

/// Puts an id in every place of a path.
fn with_ids(path: &str) -> String {
    let mut text = path.to_owned();
    while let (Some(from), Some(to)) = (text.find('{'), text.find('}')) {
        text.replace_range(from..=to, &SESSION.to_string());
    }
    text
}

#[tokio::test]
async fn no_operation_answers_without_a_token_or_its_scope() {
    let service = Service::start().await;
    let all = operations();
    assert!(all.len() > 15);
    for (method, path, scope) in all {
        let url = format!("{}{path}", service.url);
        let bare = service.http.request(method.clone(), &url);
        let Some(scope) = scope else {
            let status = bare.send().await.unwrap().status();
            assert!(status.is_success(), "{method} {path}: {status}");
            continue;
        };
        let response = bare.try_clone().unwrap().send().await.unwrap();
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        assert_eq!(
            send(bare).await.problem(),
            (401, "UNAUTHENTICATED"),
            "{method} {path}"
        );
        let lesser: Vec<Scope> = Scope::ALL
            .iter()
            .copied()
            .filter(|had| had.as_str() != scope)
            .collect();
        let token = service.issuer.mint(&jobengine_api::TokenRequest {
            subject: "s".into(),
            tenant: OURS,
            project: None,
            scopes: lesser,
            ttl_s: 60,
        });
        let request = service
            .http
            .request(method.clone(), &url)
            .bearer_auth(token.unwrap());
        let answer = send(request).await;
        assert_eq!(answer.problem(), (403, "SCOPE_MISSING"), "{method} {path}");
    }
}

#[tokio::test]
async fn another_tenant_s_things_do_not_exist() {
    let service = Service::start().await;
    let (ours, others) = (service.ours(), service.others());
    let ids = ours.submit(json!([job(), job()])).await;
    let run = json!({"jobs": [{"key": "a", "type": "t", "payload": 1}]});
    let run = ours.post("/runs", &run).await.ok(201);
    let run = run["runId"].as_str().unwrap();
    let grant = ours.claim(1, 0).await.remove(0);

    for path in [format!("/jobs/{}", ids[0]), format!("/runs/{run}")] {
        assert_eq!(others.get(&path).await.problem(), (404, "NOT_FOUND"));
    }
    for path in [
        format!("/jobs/{}:cancel", ids[0]),
        format!("/runs/{run}:cancel"),
    ] {
        assert_eq!(
            others.post(&path, &json!({})).await.problem(),
            (404, "NOT_FOUND")
        );
    }
    for path in ["/jobs", "/runs", "/workers", "/dead-letters", "/events"] {
        assert_eq!(others.get(path).await.ok(200)["items"], json!([]), "{path}");
    }
    assert_eq!(
        others.get(&format!("/jobs?runId={run}")).await.ok(200)["items"],
        json!([])
    );
    assert!(others.claim(10, 0).await.is_empty());
    let stolen = others.complete(json!([report(&grant, "succeeded")])).await;
    assert_eq!(stolen.problem(), (409, "LEASE_LOST"));
    let beat = json!({"sessionId": SESSION, "leases": [{"jobId": grant["jobId"], "leaseToken": grant["leaseToken"]}]});
    let beat = others.post("/worker/heartbeat", &beat).await.ok(200);
    assert_eq!(beat["directives"][0]["directive"], "leaseLost");
    let artifact = others
        .request(Method::PUT, &format!("/worker/artifacts/{}/a", ids[0]))
        .header("x-lease-token", grant["leaseToken"].as_str().unwrap())
        .header("content-type", "text/plain")
        .body("x");
    assert_eq!(send(artifact).await.problem(), (409, "LEASE_LOST"));
    assert_eq!(
        ours.state(&ids[0]).await,
        "leased",
        "nothing of it reached us"
    );
}

#[tokio::test]
async fn the_tenant_header_may_only_repeat_the_token() {
    let service = Service::start().await;
    let ask = |tenant: &str| {
        service
            .ours()
            .request(Method::GET, "/jobs")
            .header("x-stella-tenant", tenant)
    };
    assert_eq!(send(ask(&OURS.to_string())).await.status, 200);
    for tenant in [OTHERS.to_string(), "x".to_owned(), String::new()] {
        assert_eq!(send(ask(&tenant)).await.problem(), (403, "TENANT_MISMATCH"));
    }
    // Twice is not once: whoever stands in front of the service may have read the other one.
    let twice = ask(&OURS.to_string()).header("x-stella-tenant", OTHERS.to_string());
    assert_eq!(send(twice).await.problem(), (403, "TENANT_MISMATCH"));
    let nowhere = service.acting("s", TenantId(Uuid::from_u128(0xc)), Scope::ALL);
    let answer = nowhere.post("/jobs", &json!({"jobs": [job()]})).await;
    assert_eq!(answer.problem(), (401, "UNAUTHENTICATED"));
}

#[tokio::test]
async fn payloads_are_for_those_who_may_see_them() {
    let service = Service::start().await;
    let ids = service.ours().submit(json!([job()])).await;
    let reader = service.acting("r", OURS, &[Scope::Read]);
    let shown = reader.get(&format!("/jobs/{}", ids[0])).await.ok(200);
    assert_eq!(shown.get("payload"), None::<&Value>);
    let reader = service.acting("r", OURS, &[Scope::Read, Scope::Payload]);
    let shown = reader.get(&format!("/jobs/{}", ids[0])).await.ok(200);
    assert_eq!(shown["payload"], json!({"n": 1}));
}
