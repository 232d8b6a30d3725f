//! The client's part of the contract: what is repeated and what is not, problems, tokens, documents.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use jobengine_sdk::wire::intake::{IntakeMode, SbomSubject};
use jobengine_sdk::wire::job::{JobFilter, NewJob};
use jobengine_sdk::wire::page::PageQuery;
use jobengine_sdk::wire::run::{EdgePolicy, NewRun, NewRunJob, Parent};
use jobengine_sdk::{Client, Document, Error, RetryPolicy, TokenSource};
use serde_json::{Value, json};
use uuid::Uuid;

#[derive(Debug)]
struct Seen {
    line: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// Answers what it was told to, in order, and remembers what it was asked.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<(u16, Value)>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

async fn play(State(script): State<Script>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    script.seen.lock().unwrap().push(Seen {
        line: format!("{} {}", parts.method, parts.uri),
        headers: parts.headers,
        body,
    });
    let (status, body) = script
        .answers
        .lock()
        .unwrap()
        .pop_front()
        .expect("another call");
    let status = StatusCode::from_u16(status).unwrap();
    let mut response = Body::from(body.to_string()).into_response();
    *response.status_mut() = status;
    if status == StatusCode::TOO_MANY_REQUESTS {
        response
            .headers_mut()
            .insert("retry-after", "7".parse().unwrap());
    }
    response
}

impl Script {
    async fn serve(answers: impl IntoIterator<Item = (u16, Value)>) -> (Self, String) {
        let script = Self {
            answers: Arc::new(Mutex::new(answers.into_iter().collect())),
            ..Self::default()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(play).with_state(script.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        (script, base)
    }

    fn lines(&self) -> Vec<String> {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .map(|seen| seen.line.clone())
            .collect()
    }

    fn header(&self, at: usize, name: &str) -> Option<String> {
        let seen = self.seen.lock().unwrap();
        Some(seen[at].headers.get(name)?.to_str().unwrap().to_owned())
    }

    fn body(&self, at: usize) -> Value {
        serde_json::from_slice(&self.seen.lock().unwrap()[at].body).unwrap()
    }
}

fn client(base: &str) -> Client {
    Client::builder(base)
        .token(TokenSource::fixed("secret"))
        .tenant("acme")
        .retry(RetryPolicy {
            tries: 3,
            within: Duration::from_secs(5),
            base: Duration::from_millis(2),
            cap: Duration::from_millis(4),
        })
        .build()
        .unwrap()
}

fn busy() -> (u16, Value) {
    (
        503,
        json!({"code": "UNAVAILABLE", "title": "away", "status": 503}),
    )
}

fn canceled() -> (u16, Value) {
    (200, json!({"canceled": 2, "addedLater": 1}))
}

#[tokio::test]
async fn a_harmless_call_is_repeated_under_one_key() {
    let (script, base) = Script::serve([busy(), busy(), canceled()]).await;
    let answer = client(&base).run_cancel(Uuid::nil()).await.unwrap();
    assert_eq!(answer.canceled, 2);
    let line = "POST /api/v1/orchestrator/runs/00000000-0000-0000-0000-000000000000:cancel";
    assert_eq!(script.lines(), [line; 3]);
    let key = script.header(0, "idempotency-key").expect("a key");
    assert_eq!(script.header(2, "idempotency-key"), Some(key));
    assert_eq!(
        script.header(0, "authorization").as_deref(),
        Some("Bearer secret")
    );
    assert_eq!(script.header(0, "x-stella-tenant").as_deref(), Some("acme"));
}

#[tokio::test]
async fn repetition_has_an_end() {
    let (script, base) = Script::serve([busy(), busy(), busy()]).await;
    let error = client(&base).run(Uuid::nil()).await.unwrap_err();
    assert_eq!(
        (error.status(), error.code()),
        (Some(503), Some("UNAVAILABLE"))
    );
    assert_eq!(script.lines().len(), 3);
}

#[tokio::test]
async fn a_submission_that_may_have_counted_is_repeated_under_its_key() {
    let made = (201, json!({"jobIds": [Uuid::nil()]}));
    let (script, base) = Script::serve([busy(), made]).await;
    let jobs = [NewJob::new("t", json!({"a": 1}))];
    client(&base).jobs_submit(&jobs).await.unwrap();
    assert_eq!(script.lines(), ["POST /api/v1/orchestrator/jobs"; 2]);
    let key = script.header(0, "idempotency-key").expect("a key");
    assert_eq!(script.header(1, "idempotency-key"), Some(key));
    assert_eq!(
        script.body(0),
        json!({"jobs": [{"type": "t", "payload": {"a": 1}}]})
    );
}

#[tokio::test]
async fn a_problem_keeps_its_fields() {
    let problem = json!({
        "type": "/problems/sbom-field-invalid", "title": "An SBOM field is invalid", "status": 422,
        "code": "SBOM_FIELD_INVALID", "detail": "line 3", "traceId": "t", "correlationId": "c",
        "errors": [{"field": "components[0].purl", "code": "PURL_INVALID", "detail": "broken escape"}],
    });
    let (script, base) = Script::serve([(422, problem)]).await;
    let subject = SbomSubject {
        image: Some("sha256:1".to_owned()),
        repository: Some("docker.io/a b".to_owned()),
        used_by_entrypoint: Some(true),
        ..SbomSubject::default()
    };
    let error = client(&base)
        .sbom_put(&subject, Document::bytes("{}"))
        .await;
    let Err(Error::Problem(problem)) = error else {
        panic!("{error:?}");
    };
    assert_eq!(
        (problem.status, problem.code.as_str()),
        (422, "SBOM_FIELD_INVALID")
    );
    assert_eq!(problem.errors[0].field, "components[0].purl");
    assert_eq!(
        problem.to_string(),
        "SBOM_FIELD_INVALID: line 3; components[0].purl: broken escape"
    );
    assert_eq!(
        script.lines(),
        [
            "POST /api/v1/scheduler/sboms?image=sha256%3A1&repository=docker.io%2Fa+b&usedByEntrypoint=true"
        ]
    );
}

#[tokio::test]
async fn the_server_says_how_long_to_wait() {
    let limited = json!({"code": "RATE_LIMITED", "status": 429});
    let (script, base) = Script::serve([(429, limited)]).await;
    // Seven seconds are more than the policy allows: it gives up at once.
    let error = client(&base).keys().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert_eq!(script.lines().len(), 1);
}

#[tokio::test]
async fn a_rotated_token_is_taken_up_when_the_old_one_is_refused() {
    let refused = (401, json!({"code": "TOKEN_EXPIRED", "status": 401}));
    let (script, base) = Script::serve([canceled(), refused.clone(), canceled(), refused]).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "one").unwrap();
    let client = Client::builder(&base)
        .token(TokenSource::file(file.path()))
        .build()
        .unwrap();
    client.run_cancel(Uuid::nil()).await.unwrap();
    std::fs::write(file.path(), "two").unwrap();
    client.run_cancel(Uuid::nil()).await.unwrap();
    let error = client.run_cancel(Uuid::nil()).await.unwrap_err();
    assert_eq!(error.code(), Some("TOKEN_EXPIRED"));
    let tokens: Vec<_> = (0..4)
        .map(|at| script.header(at, "authorization").unwrap())
        .collect();
    assert_eq!(
        tokens,
        ["Bearer one", "Bearer one", "Bearer two", "Bearer two"]
    );
}

#[tokio::test]
async fn a_file_is_streamed_as_it_is_packed() {
    let stored = json!({
        "source": "osv", "received": 1, "stored": 0, "changed": 0, "withdrawn": 0, "unchanged": 0,
        "problems": [{"code": "OSV_INVALID", "place": "line 1", "detail": "no id"}],
    });
    let (script, base) = Script::serve([busy(), (200, stored)]).await;
    let mut file = tempfile::Builder::new()
        .suffix(".jsonl.zst")
        .tempfile()
        .unwrap();
    let bytes: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    file.write_all(&bytes).unwrap();
    let document = Document::file(file.path());
    let answer = client(&base)
        .advisories_put("osv", IntakeMode::Snapshot, document)
        .await
        .unwrap();
    assert_eq!(answer.problems[0].place, "line 1");
    assert_eq!(
        script.header(1, "content-encoding").as_deref(),
        Some("zstd")
    );
    let line = "POST /api/v1/scheduler/advisories?source=osv&mode=snapshot";
    assert_eq!(script.lines(), [line; 2]);
    // The second try sends all of it again.
    assert!(
        script
            .seen
            .lock()
            .unwrap()
            .iter()
            .all(|seen| seen.body == bytes)
    );
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() {
    let (_script, base) = Script::serve([]).await;
    let error = client(&base)
        .kev_put("cisa", Document::file("/nowhere/kev.json"))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "/nowhere/kev.json cannot be read");
}

#[tokio::test]
async fn what_is_not_of_the_contract_is_said_to_be_so() {
    let (_script, base) =
        Script::serve([(200, json!("hello")), (404, json!("no such host\n"))]).await;
    let check = async || match client(&base).keys().await {
        Err(Error::Answer { status, detail }) => (status, detail),
        other => panic!("{other:?}"),
    };
    assert_eq!(check().await.0, 200);
    assert_eq!(check().await, (404, "\"no such host\\n\"".to_owned()));
    let error = client("http://127.0.0.1:1").keys().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    assert!(!format!("{error:?}").contains("secret"));
}

#[tokio::test]
async fn requests_are_written_as_the_contract_has_them() {
    let page = json!({"items": [], "continuationToken": null});
    let started = json!({"runId": Uuid::nil(), "jobs": [{"key": "b", "jobId": Uuid::nil()}]});
    let (script, base) = Script::serve([(200, page), (201, started)]).await;
    let client = client(&base);
    let filter = JobFilter {
        state: Some("queued".to_owned()),
        ..JobFilter::default()
    };
    let query = PageQuery {
        limit: Some(5),
        continuation_token: Some("a=b".to_owned()),
    };
    assert_eq!(
        client
            .jobs(&filter, &query)
            .await
            .unwrap()
            .continuation_token,
        None
    );
    let run = NewRun {
        jobs: vec![NewRunJob {
            key: "b".to_owned(),
            job: NewJob::new("t", Value::Null),
            parents: vec![Parent {
                key: "a".to_owned(),
                policy: Some(EdgePolicy::OnFailure),
            }],
        }],
        ..NewRun::default()
    };
    assert_eq!(client.run_start(&run).await.unwrap().jobs[0].key, "b");
    assert_eq!(
        script.lines(),
        [
            format!(
                "{} /api/v1/orchestrator/jobs?state=queued&limit=5&continuationToken=a%3Db",
                Method::GET
            ),
            "POST /api/v1/orchestrator/runs".to_owned(),
        ]
    );
    assert_eq!(
        script.body(1),
        json!({"jobs": [{"key": "b", "type": "t", "payload": null, "parents": [{"key": "a", "policy": "onFailure"}]}]})
    );
}
