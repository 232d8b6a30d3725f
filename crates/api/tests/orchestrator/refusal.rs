//! What is refused, and how it is said.

use serde_json::{Value, json};

use crate::service::{Person, SESSION, Service, job, send};

async fn check(
    ours: &Person,
    path: &str,
    body: impl Into<reqwest::Body>,
    expected: (u16, &str),
    field: &str,
) {
    let body = body.into();
    let shown = String::from_utf8_lossy(body.as_bytes().unwrap_or_default())
        .chars()
        .take(100)
        .collect::<String>();
    let answer = ours.post_text(path, body).await;
    assert_eq!(answer.problem(), expected, "{shown}");
    let named = answer.body["errors"][0]["field"]
        .as_str()
        .unwrap_or_default();
    assert_eq!(named, field, "{shown}: {:#}", answer.body);
}

fn jobs(job: &Value) -> String {
    json!({"jobs": [job]}).to_string()
}

/// Bodies of a submit, what is said of them and where.
fn bad_submits() -> Vec<(String, (u16, &'static str), &'static str)> {
    let malformed = (400, "JSON_MALFORMED");
    let invalid = (422, "REQUEST_INVALID");
    let deep = format!(
        r#"{{"jobs":[{{"type":"t","payload":{}1{}}}]}}"#,
        "[".repeat(40),
        "]".repeat(40)
    );
    vec![
        (String::new(), malformed, ""),
        ("{".into(), malformed, ""),
        ("{} {}".into(), malformed, ""),
        (deep, malformed, ""),
        (r#"{"jobs":[],"jobs":[]}"#.into(), malformed, ""),
        (
            r#"{"jobs":[{"type":"t","payload":{"a":1,"\u0061":2}}]}"#.into(),
            malformed,
            "",
        ),
        (
            r#"{"jobs":[{"type":"t","payload":"\u0000"}]}"#.into(),
            malformed,
            "",
        ),
        (
            r#"{"jobs":[{"type":"t","payload":1e999}]}"#.into(),
            malformed,
            "",
        ),
        ("[]".into(), invalid, "body"),
        ("{}".into(), invalid, "body"),
        (r#"{"jobs":[]}"#.into(), invalid, "jobs"),
        (r#"{"jobs":[],"more":1}"#.into(), invalid, "more"),
        (r#"{"jobs":[{"type":"t"}]}"#.into(), invalid, "jobs[0]"),
        (
            jobs(&json!({"type": "t", "payload": 1, "colour": "red"})),
            invalid,
            "jobs[0].colour",
        ),
        (
            jobs(&json!({"type": "", "payload": 1})),
            invalid,
            "jobs[0].type",
        ),
        (
            jobs(&json!({"type": "a b", "payload": 1})),
            invalid,
            "jobs[0].type",
        ),
        (
            jobs(&json!({"type": "x".repeat(101), "payload": 1})),
            invalid,
            "jobs[0].type",
        ),
        (
            jobs(&json!({"type": "t", "payload": 1, "priority": "urgent"})),
            invalid,
            "jobs[0].priority",
        ),
        (
            jobs(&json!({"type": "t", "payload": 1, "maxAttempts": 0})),
            invalid,
            "jobs[0].maxAttempts",
        ),
        (
            jobs(&json!({"type": "t", "payload": 1, "maxAttempts": 101})),
            invalid,
            "jobs[0].maxAttempts",
        ),
        (
            jobs(&json!({"type": "t", "payload": 1, "maxAttempts": "3"})),
            invalid,
            "jobs[0].maxAttempts",
        ),
        (
            jobs(&json!({"type": "t", "payload": 1, "notBefore": "tomorrow"})),
            invalid,
            "jobs[0].notBefore",
        ),
        (
            jobs(&json!({"type": "t", "payload": 1, "correlationId": ""})),
            invalid,
            "jobs[0].correlationId",
        ),
        (
            jobs(&json!({"type": "t", "payload": "x".repeat(128 * 1024)})),
            invalid,
            "jobs[0].payload",
        ),
    ]
}

#[tokio::test]
async fn bad_bodies_are_named_and_do_nothing() {
    let service = Service::start().await;
    let ours = service.ours();
    let malformed = (400, "JSON_MALFORMED");
    for (body, expected, field) in bad_submits() {
        check(&ours, "/jobs", body, expected, field).await;
    }
    let many = json!({"jobs": vec![json!({"type":"t","payload":0}); 10_001]}).to_string();
    check(&ours, "/jobs", many, malformed, "").await;
    check(
        &ours,
        "/jobs",
        "x".repeat(5 * 1024 * 1024),
        (413, "BODY_TOO_LARGE"),
        "",
    )
    .await;
    check(&ours, "/jobs", vec![b'"', 0xff, b'"'], malformed, "").await;

    let none = ours.get("/jobs").await.ok(200);
    assert_eq!(none["items"], json!([]), "nothing of it was done");
}

#[tokio::test]
async fn a_worker_s_words_are_checked_too() {
    let service = Service::start().await;
    let ours = service.ours();
    let invalid = (422, "REQUEST_INVALID");
    let claim = |changes: Value| {
        let mut claim = json!({"sessionId": SESSION, "worker": "w", "types": ["t"], "max": 1});
        claim
            .as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        claim.to_string()
    };
    for (changes, field) in [
        (json!({"sessionId": "x"}), "sessionId"),
        (json!({"worker": ""}), "worker"),
        (json!({"types": []}), "types"),
        (json!({"types": ["a b"]}), "types[0]"),
        (json!({"types": vec!["t"; 51]}), "types"),
        (json!({"max": 0}), "max"),
        (json!({"max": 101}), "max"),
        (json!({"waitMs": 30_001}), "waitMs"),
        (json!({"waitMs": -1}), "waitMs"),
    ] {
        check(&ours, "/worker/claim", claim(changes), invalid, field).await;
    }

    ours.submit(json!([job()])).await;
    let grant = ours.claim(1, 0).await.remove(0);
    for (changes, field) in [
        (json!({"outcome": "done"}), "reports[0].outcome"),
        (json!({"outcome": "failed"}), "reports[0].class"),
        (
            json!({"outcome": "failed", "class": "poison"}),
            "reports[0].class",
        ),
        (
            json!({"outcome": "failed", "class": "bored"}),
            "reports[0].class",
        ),
        (json!({"class": "user"}), "reports[0].class"),
        (json!({"retryAfterMs": 5}), "reports[0].retryAfterMs"),
        (json!({"detail": "x".repeat(8_193)}), "reports[0].detail"),
        (json!({"result": "x".repeat(65_536)}), "reports[0].result"),
        (
            json!({"outcome": "released", "result": 1}),
            "reports[0].result",
        ),
        (json!({"leaseToken": "secret"}), "reports[0].leaseToken"),
    ] {
        let mut report = crate::service::report(&grant, "succeeded");
        report
            .as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        let body = json!({"sessionId": SESSION, "reports": [report]}).to_string();
        check(&ours, "/worker/complete", body, invalid, field).await;
    }
    let unknown = json!({"jobId": grant["jobId"], "leaseToken": SESSION, "outcome": "succeeded"});
    assert_eq!(
        ours.complete(json!([unknown])).await.problem(),
        (409, "LEASE_LOST")
    );
}

#[tokio::test]
async fn paths_queries_headers_and_types_are_checked() {
    let service = Service::start().await;
    let ours = service.ours();
    for (path, expected) in [
        ("/jobs/7", (400, "PARAMETER_INVALID")),
        ("/jobs?limit=0", (400, "PARAMETER_INVALID")),
        ("/jobs?limit=501", (400, "PARAMETER_INVALID")),
        ("/dead-letters?type=%00", (400, "PARAMETER_INVALID")),
        ("/dead-letters?owner=a%FF", (400, "PARAMETER_INVALID")),
        ("/sources?kind=%C3%28", (400, "PARAMETER_INVALID")),
        ("/jobs?limit=x", (400, "PARAMETER_INVALID")),
        ("/jobs?state=lost", (400, "PARAMETER_INVALID")),
        ("/jobs?colour=red", (400, "PARAMETER_INVALID")),
        ("/jobs?limit=1&limit=2", (400, "PARAMETER_INVALID")),
        ("/jobs?continuationToken=e30", (400, "PAGE_TOKEN_INVALID")),
        ("/events?continuationToken=x", (400, "PAGE_TOKEN_INVALID")),
        (
            "/jobs/0190f1de-0000-7000-8000-000000000001",
            (404, "NOT_FOUND"),
        ),
        (
            "/runs/0190f1de-0000-7000-8000-000000000001",
            (404, "NOT_FOUND"),
        ),
        ("/nothing", (404, "NOT_FOUND")),
        ("/worker/claim", (405, "METHOD_NOT_ALLOWED")),
    ] {
        assert_eq!(ours.get(path).await.problem(), expected, "{path}");
    }
    let long = format!("/jobs?type={}", "x".repeat(5_000));
    assert_eq!(ours.get(&long).await.problem(), (414, "URL_TOO_LONG"));
    let id = "0190f1de-0000-7000-8000-000000000001";
    for path in [format!("/runs/{id}:cancel"), format!("/jobs/{id}:cancel")] {
        assert_eq!(
            ours.post(&path, &json!({})).await.problem(),
            (404, "NOT_FOUND")
        );
    }
    let inner = ours.post(&format!("/runs/{id}/~cancel"), &json!({})).await;
    assert_eq!(inner.problem(), (404, "NOT_FOUND"));

    let post = || {
        ours.request(reqwest::Method::POST, "/jobs")
            .body(jobs(&job()))
    };
    let answer = send(post().header("content-type", "text/plain")).await;
    assert_eq!(answer.problem(), (415, "MEDIA_TYPE_UNSUPPORTED"));
    let json = post().header("content-type", "application/json; charset=utf-8");
    let answer = send(json.header("content-encoding", "gzip")).await;
    assert_eq!(answer.problem(), (415, "MEDIA_TYPE_UNSUPPORTED"));
    let put = ours.request(
        reqwest::Method::PUT,
        &format!("/worker/artifacts/{id}/a.json"),
    );
    let put = put.header("content-type", "application/json").body("{}");
    let lost = put.try_clone().unwrap().header("x-lease-token", id);
    assert_eq!(send(put).await.problem(), (400, "PARAMETER_INVALID"));
    assert_eq!(send(lost).await.problem(), (409, "LEASE_LOST"));
}

#[tokio::test]
async fn every_answer_is_hardened_and_names_itself() {
    let service = Service::start().await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let response = service
        .ours()
        .request(reqwest::Method::GET, "/jobs/7")
        .header("x-request-id", "request-81")
        .header("x-correlation-id", "c-81")
        .header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"))
        .send()
        .await
        .unwrap();
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        (
            "content-security-policy",
            "default-src 'none'; frame-ancestors 'none'",
        ),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
        ("content-type", "application/problem+json"),
        ("x-request-id", "request-81"),
        ("x-correlation-id", "c-81"),
    ] {
        assert_eq!(response.headers()[name], value, "{name}");
    }
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["traceId"], trace);
    assert_eq!(body["correlationId"], "c-81");
}
