//! `jobengine worker` as a process: takes a segment over HTTP, hands its findings in, stops when told.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use jobengine_domain::digest::Digest;
use jobengine_impact::segment_result::SegmentResult;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

const JOB: &str = "01890000-0000-7000-8000-000000000001";
const TOKEN: &str = "the-lease-token";

/// A server with one segment to give.
#[derive(Default)]
struct Server {
    segment: Value,
    granted: bool,
    artifact: Option<Bytes>,
    report: Option<Value>,
    progress: Vec<Value>,
}

type Shared = State<Arc<Mutex<Server>>>;

fn serve(images: usize) -> (String, Arc<Mutex<Server>>) {
    let server = Arc::new(Mutex::new(Server {
        segment: segment(images),
        ..Server::default()
    }));
    let worker = "/api/v1/orchestrator/worker";
    let app = Router::new()
        .route(&format!("{worker}/claim"), post(claim))
        .route(&format!("{worker}/heartbeat"), post(heartbeat))
        .route(&format!("{worker}/complete"), post(complete))
        .route(
            &format!("{worker}/artifacts/{JOB}/findings.json"),
            put(artifact),
        )
        .route(&format!("/api/v1/scheduler/segments/{JOB}"), get(fetch))
        .with_state(Arc::clone(&server));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, app).await.unwrap();
        });
    });
    (base, server)
}

/// Every second image has the flawed package.
fn segment(images: usize) -> Value {
    let images: Vec<Value> = (0..images)
        .map(|number| {
            let digest = Digest::of(&number.to_le_bytes());
            json!({"digest": digest, "names": [], "components": if number % 2 == 0 { json!([0]) } else { json!([]) }})
        })
        .collect();
    json!({
        "runId": JOB, "ordinal": 0, "scope": "all", "images": images,
        "components": [{"purl": "pkg:npm/a@1.0.0", "identity": {"Ok": {"key": "npm/a", "version": "1.0.0"}}}],
        "advisories": [{"id": "GHSA-1", "affected": [{"package": "npm/a", "versions": ["1.0.0"]}]}],
        "kev": {"entries": {}}, "vex": [],
    })
}

async fn claim(State(server): Shared, Json(claim): Json<Value>) -> Json<Value> {
    assert_eq!(claim["types"], json!(["impact.evaluate"]));
    let first = !std::mem::replace(&mut server.lock().unwrap().granted, true);
    let grant = json!({
        "jobId": JOB, "type": "impact.evaluate", "leaseId": JOB, "leaseToken": TOKEN, "fence": 1,
        "leaseUntil": "2026-01-01T00:00:00Z", "leaseDurationMs": 1_000, "heartbeatMs": 333,
        "attempt": 1, "maxAttempts": 5, "idempotencyKey": JOB, "payload": {}, "payloadDigest": "sha256:00",
        "tenant": "t", "correlationId": "c",
    });
    if !first {
        tokio::time::sleep(Duration::from_millis(claim["waitMs"].as_u64().unwrap())).await;
    }
    let grants = if first { vec![grant] } else { Vec::new() };
    Json(json!({"grants": grants, "leaseDurationMs": 1_000, "heartbeatMs": 333}))
}

async fn heartbeat(State(server): Shared, Json(beat): Json<Value>) -> Json<Value> {
    let mut server = server.lock().unwrap();
    let news = beat["progress"].as_array().into_iter().flatten().cloned();
    server.progress.extend(news);
    let directives = [json!({"jobId": JOB, "directive": "continue"})];
    Json(json!({"leaseDurationMs": 1_000, "heartbeatMs": 333, "directives": directives}))
}

async fn fetch(State(server): Shared, headers: HeaderMap) -> Json<Value> {
    assert_eq!(headers["x-lease-token"], TOKEN);
    assert_eq!(headers["authorization"], "Bearer secret");
    Json(server.lock().unwrap().segment.clone())
}

async fn artifact(State(server): Shared, headers: HeaderMap, bytes: Bytes) -> Response {
    assert_eq!(headers["x-lease-token"], TOKEN);
    let stored = json!({"digest": Digest::of(&bytes), "bytes": bytes.len()});
    server.lock().unwrap().artifact = Some(bytes);
    (StatusCode::CREATED, Json(stored)).into_response()
}

async fn complete(State(server): Shared, Json(complete): Json<Value>) -> Json<Value> {
    let report = complete["reports"][0].clone();
    server.lock().unwrap().report = Some(report);
    Json(json!({"results": [{"jobId": JOB, "accepted": true, "state": "succeeded"}]}))
}

fn start(base: &str, token: &std::path::Path, more: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_jobengine"))
        .args(["worker", "--server", base, "--name", "w", "--token-file"])
        .arg(token)
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn until<T>(server: &Mutex<Server>, what: impl Fn(&Server) -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(seen) = what(&server.lock().unwrap()) {
            return seen;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "never came");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn stop(mut child: Child) {
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    kill(pid, Signal::SIGTERM).unwrap();
    assert!(child.wait().unwrap().success());
}

fn token() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "secret\n").unwrap();
    file
}

#[test]
fn a_segment_is_evaluated_and_its_findings_are_handed_in() {
    let (base, server) = serve(10);
    let token = token();
    let child = start(&base, token.path(), &[]);
    let report = until(&server, |server| server.report.clone());
    let artifact = server.lock().unwrap().artifact.clone().unwrap();
    let result = SegmentResult::read(&artifact).unwrap();
    assert_eq!((result.images.len(), result.findings.len()), (10, 1));
    assert_eq!(result.findings[0].images.len(), 5);
    assert_eq!(report["outcome"], "succeeded");
    let digest = Digest::of(&artifact);
    assert_eq!(
        report["result"],
        json!({"images": 10, "findings": 5, "artifact": digest})
    );
    stop(child);
}

#[test]
fn a_slow_worker_tells_how_far_it_is_and_gives_the_segment_back_when_told_to_stop() {
    let (base, server) = serve(1_000);
    let token = token();
    // 1000 images at 20 a second: far longer than the grace.
    let slow = ["--images-per-second", "20", "--grace-seconds", "1"];
    let child = start(&base, token.path(), &slow);
    let progress = until(&server, |server| server.progress.get(1).cloned());
    assert_eq!(progress["jobId"], JOB);
    assert!(
        (1..200).contains(&progress["permille"].as_u64().unwrap()),
        "{progress}"
    );
    assert!(
        progress["note"]
            .as_str()
            .unwrap()
            .ends_with(" of 1000 images")
    );
    let told = Instant::now();
    stop(child);
    assert!(
        told.elapsed() < Duration::from_secs(10),
        "{:?}",
        told.elapsed()
    );
    let report = server.lock().unwrap().report.clone().unwrap();
    assert_eq!(report["outcome"], "released");
    assert!(server.lock().unwrap().artifact.is_none());
}
