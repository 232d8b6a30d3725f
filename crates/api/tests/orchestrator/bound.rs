//! Callers that are bound to a project: what is the whole tenant's, or another project's, is not theirs.

use reqwest::Method;
use serde_json::json;

use crate::service::{Person, Service, job, send};

/// Makes a project, and somebody who is bound to it.
async fn bound(service: &Service, name: &str) -> Person {
    let request = json!({"name": name});
    let made = service.ours().post("/projects", &request).await.ok(201);
    let project = &made["projectId"];
    service.bound(project.as_str().unwrap().parse().unwrap())
}

#[tokio::test]
async fn keys_of_different_projects_never_meet() {
    let service = Service::start().await;
    let jobs = json!({"jobs": [job()]});
    let (mine, another) = (
        bound(&service, "mine").await,
        bound(&service, "another").await,
    );
    let first = mine.post_keyed("/jobs", "k-1", &jobs).await.ok(201);
    let other = another.post_keyed("/jobs", "k-1", &jobs).await.ok(201);
    let whole = service.ours().post_keyed("/jobs", "k-1", &jobs).await;
    assert_ne!(first, other);
    assert_ne!(first, whole.ok(201));
    assert_eq!(mine.post_keyed("/jobs", "k-1", &jobs).await.ok(201), first);
    // Nor do those of the acts that are not done in batches.
    let run = json!({"jobs": [{"key": "a", "type": "t", "payload": 1}]});
    let first = mine.post_keyed("/runs", "k-1", &run).await.ok(201);
    let other = another.post_keyed("/runs", "k-1", &run).await.ok(201);
    assert_ne!(first, other);
}

#[tokio::test]
async fn what_is_the_whole_tenant_s_is_not_shown() {
    let service = Service::start().await;
    let (mine, ours) = (bound(&service, "mine").await, service.ours());
    ours.submit(json!([job()])).await;
    let change = ours.get("/audit").await.ok(200)["items"][0]["auditId"].clone();
    let one = format!("/audit/{}", change.as_str().unwrap());
    for path in [
        "/audit",
        one.as_str(),
        "/audit/checkpoints",
        "/audit/export",
        "/audit/verify",
        "/identity/revocations",
        "/jobs/summary",
    ] {
        let answer = send(mine.request(Method::GET, path)).await;
        assert_eq!(answer.problem(), (403, "PROJECT_MISMATCH"), "{path}");
    }
    // Nor changed: other projects' jobs wait for a paused source, and their webhooks for the hosts allowed.
    let source = json!({"name": "osv", "kind": "osv"});
    let id = ours.post("/sources", &source).await.ok(201)["sourceId"].clone();
    let id = id.as_str().unwrap();
    let other = json!({"name": "kev", "kind": "kev"});
    for (method, path, body) in [
        (Method::POST, "/sources".to_owned(), other),
        (Method::POST, format!("/sources/{id}:pause"), json!({})),
        (Method::POST, format!("/sources/{id}:resume"), json!({})),
        (
            Method::PATCH,
            format!("/sources/{id}"),
            json!({"description": "x"}),
        ),
        (Method::DELETE, format!("/sources/{id}"), json!(null)),
        (
            Method::PUT,
            "/webhook-hosts".to_owned(),
            json!({"hosts": []}),
        ),
    ] {
        let request = mine
            .request(method, &path)
            .header("x-stella-operator-reason", "because")
            .header("if-match", "\"1\"");
        let request = if body.is_null() {
            request
        } else {
            request.json(&body)
        };
        let answer = send(request).await;
        assert_eq!(answer.problem(), (403, "PROJECT_MISMATCH"), "{path}");
    }
    ours.get(&one).await.ok(200);
    ours.get("/jobs/summary").await.ok(200);
}
