//! Tenants, as the installation administers them: by itself alone.

use jobengine_domain::caller::Scope;
use jobengine_domain::id::TenantId;
use reqwest::Method;
use serde_json::{Value, json};

use crate::service::{Answer, OURS, Person, Service, job, send};

/// Speaks to the administration's listener.
async fn inside(
    service: &Service,
    person: &Person,
    method: Method,
    path: &str,
    body: &Value,
) -> Answer {
    let url = format!("{}/api/v1/admin/tenants{path}", service.inside);
    let mut request = service
        .http
        .request(method.clone(), url)
        .bearer_auth(&person.token);
    if method != Method::GET {
        request = request.json(body);
    }
    send(request.header("x-stella-operator-reason", "unpaid")).await
}

fn administrator(service: &Service) -> Person {
    service.acting("root", TenantId::INSTALLATION, &[Scope::Admin])
}

#[tokio::test]
async fn the_installation_makes_and_changes_tenants() {
    let service = Service::start().await;
    let root = administrator(&service);
    let made = inside(
        &service,
        &root,
        Method::POST,
        "",
        &json!({"name": "acme", "weight": 3}),
    )
    .await
    .ok(201);
    assert_eq!(
        (&made["state"], &made["weight"]),
        (&json!("active"), &json!(3))
    );
    let taken = inside(&service, &root, Method::POST, "", &json!({"name": "ACME"})).await;
    assert_eq!(taken.problem(), (409, "NAME_TAKEN"));
    let heavy = inside(
        &service,
        &root,
        Method::POST,
        "",
        &json!({"name": "b", "weight": 1001}),
    )
    .await;
    assert_eq!(heavy.problem(), (422, "REQUEST_INVALID"));
    let all = inside(&service, &root, Method::GET, "", &Value::Null)
        .await
        .ok(200);
    let names: Vec<&str> = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 4, "{names:?}");
    assert!(names.contains(&"installation") && names.contains(&"ours"));

    let path = format!("/{}", made["tenantId"].as_str().unwrap());
    let renamed = inside(
        &service,
        &root,
        Method::PATCH,
        &path,
        &json!({"name": "Acme Ltd"}),
    )
    .await
    .ok(200);
    assert_eq!(
        inside(&service, &root, Method::GET, &path, &Value::Null)
            .await
            .ok(200),
        renamed
    );
    let clash = inside(
        &service,
        &root,
        Method::PATCH,
        &path,
        &json!({"name": "ours"}),
    )
    .await;
    assert_eq!(clash.problem(), (409, "NAME_TAKEN"));
    let own = format!("/{}", TenantId::INSTALLATION);
    let itself = inside(
        &service,
        &root,
        Method::PATCH,
        &own,
        &json!({"state": "suspended"}),
    )
    .await;
    assert_eq!(itself.problem(), (422, "REQUEST_INVALID"));
    let nobody = inside(
        &service,
        &root,
        Method::PATCH,
        &format!("/{}", uuid::Uuid::nil()),
        &json!({}),
    )
    .await;
    assert_eq!(nobody.problem(), (404, "NOT_FOUND"));
    // The new tenant can work at once.
    let tenant: TenantId = made["tenantId"].as_str().unwrap().parse().unwrap();
    service
        .acting("acme", tenant, Scope::ALL)
        .submit(json!([job()]))
        .await;
}

#[tokio::test]
async fn no_other_administrator_learns_of_tenants() {
    let service = Service::start().await;
    let ours = service.ours();
    for (method, path) in [
        (Method::GET, String::new()),
        (Method::POST, String::new()),
        (Method::GET, format!("/{OURS}")),
        (Method::PATCH, format!("/{OURS}")),
    ] {
        let answer = inside(&service, &ours, method, &path, &json!({"name": "mine"})).await;
        assert_eq!(answer.problem(), (403, "INSTALLATION_ONLY"), "{path}");
    }
    let outside = service.ours().get("/../admin/tenants").await;
    assert_eq!(
        outside.problem(),
        (404, "NOT_FOUND"),
        "only the inner listener has them"
    );
}

#[tokio::test]
async fn a_suspended_tenant_stands_still() {
    let service = Service::start().await;
    let (root, ours, others) = (administrator(&service), service.ours(), service.others());
    ours.submit(json!([job()])).await;
    let path = format!("/{OURS}");
    let turn = async |state: &str| {
        let body = json!({"state": state});
        inside(&service, &root, Method::PATCH, &path, &body)
            .await
            .ok(200)
    };
    assert_eq!(turn("suspended").await["state"], "suspended");
    assert_eq!(ours.get("/jobs").await.problem(), (403, "TENANT_SUSPENDED"));
    others.get("/jobs").await.ok(200);
    // Not even a worker whose claim got past the door is granted a job: the ledger says no.
    let tx = service
        .store
        .begin(&jobengine_domain::caller::Caller::system(OURS))
        .await
        .unwrap();
    let session = jobengine_domain::id::SessionId(crate::service::SESSION);
    assert!(
        tx.lease_claim(&[jobengine_store::TypeClaim::of("t", &[session])])
            .await
            .unwrap()
            .concat()
            .is_empty()
    );
    tx.commit().await.unwrap();
    turn("active").await;
    assert_eq!(ours.claim(1, 1_000).await.len(), 1);
}
