//! A path is matched as it stands, and a method is what the request line says.

use crate::raw::{request, say, status, token};
use crate::service::Service;

#[tokio::test]
async fn no_other_spelling_of_a_path_leads_anywhere() {
    let service = Service::start().await;
    let token = token(&service);
    for (path, expected) in [
        ("/api/v1/orchestrator/jobs", 200),
        ("/api/v1/orchestrator/jobs/", 404),
        ("/api/v1/orchestrator//jobs", 404),
        ("//api/v1/orchestrator/jobs", 404),
        ("/API/v1/orchestrator/jobs", 404),
        ("/api/v1/orchestrator/./jobs", 404),
        ("/api/v1/orchestrator/runs/../jobs", 404),
        ("/api/v1/orchestrator/%2e%2e/orchestrator/jobs", 404),
        ("/api/v1/orchestrator%2fjobs", 404),
        ("/api/v1/orchestrator/%6aobs", 404),
        ("/api/v1/orchestrator/jobs;x=1", 404),
        ("/metrics", 404),
        ("http://x/api/v1/orchestrator/jobs", 200),
    ] {
        let bytes = request(&format!("GET {path}"), &token, "", b"");
        let answer = say(&service, &bytes).await;
        assert_eq!(status(&answer), expected, "{path}: {answer}");
    }
}

#[tokio::test]
async fn no_header_overrides_method_path_or_peer() {
    let service = Service::start().await;
    let token = token(&service);
    for header in [
        "X-HTTP-Method-Override: POST",
        "X-HTTP-Method: DELETE",
        "X-Method-Override: PUT",
        "X-Original-URL: /healthz",
        "X-Rewrite-URL: /healthz",
        "X-Forwarded-Prefix: /api",
        "X-Forwarded-Host: evil.example",
        "Forwarded: for=10.0.0.1;host=evil.example;proto=https",
    ] {
        let list = "GET /api/v1/orchestrator/jobs";
        let bytes = request(list, &token, &format!("{header}\r\n"), b"");
        let answer = say(&service, &bytes).await;
        assert_eq!(status(&answer), 200, "{header}: {answer}");
        assert!(answer.contains("\"items\":[]"), "{header}: {answer}");
        assert!(!answer.contains("evil.example"), "{header}: {answer}");
    }
    for (line, allowed) in [
        (
            "DELETE /api/v1/orchestrator/jobs",
            &["GET", "HEAD", "POST"][..],
        ),
        ("TRACE /healthz", &["GET", "HEAD"]),
        (
            "GET /api/v1/orchestrator/runs/019b7a3c-5e80-7000-8000-000000000000:cancel",
            &["POST"],
        ),
    ] {
        let answer = say(&service, &request(line, &token, "", b"")).await;
        assert_eq!(status(&answer), 405, "{line}: {answer}");
        let mut lines = answer.lines();
        let allow = lines.find_map(|line| line.strip_prefix("allow: ")).unwrap();
        let mut allow: Vec<&str> = allow.split(',').collect();
        allow.sort_unstable();
        assert_eq!(allow, allowed, "{line}");
    }
}
