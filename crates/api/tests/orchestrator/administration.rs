//! The administration's listener: what is served there, and what is not served outside.

use jobengine_domain::caller::Scope;
use reqwest::Method;
use serde_json::{Value, json};

use crate::service::{OURS, Service};

impl Service {
    async fn inside(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Option<Value>,
    ) -> (u16, String) {
        let request = self.http.request(method, format!("{}{path}", self.inside));
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = request.bearer_auth(token).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

#[tokio::test]
async fn the_metrics_have_a_door_of_their_own() {
    let service = Service::start().await;
    service.ours().get("/jobs").await.ok(200);
    let (status, text) = service.inside(Method::GET, "/metrics", "", None).await;
    assert_eq!(status, 200);
    assert!(
        text.contains("jobengine_http_requests_total{operation=\"job_list\",status=\"200\"} 1"),
        "{text}"
    );
    assert!(text.ends_with("# EOF\n"));
    for path in ["/../../../metrics", "/../../../log-level"] {
        let outside = service.ours().get(path).await;
        assert_eq!(outside.problem(), (404, "NOT_FOUND"), "{path}");
    }
    let (status, _) = service
        .inside(Method::GET, "/api/v1/orchestrator/jobs", "", None)
        .await;
    assert_eq!(status, 404, "the contract is not served inside");
    for path in ["/healthz", "/readyz", "/version"] {
        assert_eq!(
            service.inside(Method::GET, path, "", None).await.0,
            200,
            "{path}"
        );
    }
}

#[tokio::test]
async fn what_is_logged_is_changed_by_an_administrator_only() {
    let service = Service::start().await;
    let admin = service.ours().token;
    let reader = service.acting("reader", OURS, &[Scope::Read]).token;
    let put = async |token: &str, filter: &str| {
        let body = Some(json!({ "filter": filter }));
        service.inside(Method::PUT, "/log-level", token, body).await
    };
    assert_eq!(put("", "debug").await.0, 401);
    assert_eq!(put(&reader, "debug").await.0, 403);
    let (status, text) = put(&admin, "debug").await;
    assert_eq!(status, 200);
    assert!(text.contains("debug"), "{text}");
    let (status, text) = put(&admin, "jobengine=loud").await;
    assert_eq!(status, 422);
    assert!(
        text.contains("REQUEST_INVALID") && text.contains("filter"),
        "{text}"
    );
    let (_, now) = service
        .inside(Method::GET, "/log-level", &admin, None)
        .await;
    assert!(now.contains("debug"), "{now}");
}

#[tokio::test]
async fn a_service_over_an_older_schema_is_not_ready() {
    let service = Service::start().await;
    service
        .sql("UPDATE orch.refinery_schema_history SET version = -version WHERE version > 3")
        .await;
    let (status, text) = service.inside(Method::GET, "/readyz", "", None).await;
    assert_eq!(status, 503);
    assert!(
        text.contains("DATABASE_UNAVAILABLE") && text.contains("version 3"),
        "{text}"
    );
    assert_eq!(
        service.inside(Method::GET, "/healthz", "", None).await.0,
        200
    );
}
