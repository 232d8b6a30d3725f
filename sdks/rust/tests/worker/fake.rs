//! A server that knows just enough of the contract, and fails on demand. On a thread of its own, so
//! that a handler that blocks the worker's thread does not block it too.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::Json;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{post, put};
use serde_json::{Value, json};
use uuid::Uuid;

/// What the test looks at and turns.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) lease_ms: u64,
    pub(crate) queue: VecDeque<Uuid>,
    pub(crate) leases: BTreeMap<Uuid, String>,
    pub(crate) answered: BTreeMap<(Uuid, String), &'static str>,
    pub(crate) claims: Vec<Value>,
    pub(crate) beats: Vec<(Instant, Value)>,
    pub(crate) completes: Vec<Value>,
    pub(crate) artifacts: Vec<String>,
    /// What heartbeats answer for every job whose lease is held.
    pub(crate) directive: Option<&'static str>,
    pub(crate) deaf_to_heartbeats: bool,
    /// So many completes are taken in, but the connection ends before their answer.
    pub(crate) cut_completes: u32,
    /// The code of the refusal of every claim.
    pub(crate) refuse_claims: Option<&'static str>,
    /// A report with this detail or result text makes the whole batch unreadable.
    pub(crate) unreadable: Option<&'static str>,
    granted: u64,
}

pub(crate) struct Fake {
    pub(crate) base: String,
    ledger: Arc<Mutex<Ledger>>,
}

impl Fake {
    pub(crate) fn start(lease_ms: u64, jobs: usize) -> Self {
        let queue = (1..=jobs as u128).map(Uuid::from_u128).collect();
        let ledger = Arc::new(Mutex::new(Ledger {
            lease_ms,
            queue,
            ..Ledger::default()
        }));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new()
            .route("/worker/claim", post(claim))
            .route("/worker/heartbeat", post(heartbeat))
            .route("/worker/complete", post(complete))
            .route("/worker/artifacts/{job}/{name}", put(artifact))
            .with_state(Arc::clone(&ledger));
        let app = Router::new().nest("/api/v1/orchestrator", routes);
        std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(async {
                    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                    axum::serve(listener, app).await.unwrap();
                });
        });
        Self { base, ledger }
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    /// Waits until the ledger is as the test wants it.
    pub(crate) async fn until(&self, what: &str, fits: impl Fn(&Ledger) -> bool) {
        let started = Instant::now();
        while !fits(&self.ledger()) {
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "never came: {what}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// (job number, outcome) of every report that counted, in order.
    pub(crate) fn outcomes(&self) -> Vec<(u128, &'static str)> {
        let ledger = self.ledger();
        let mut all: Vec<_> = ledger
            .answered
            .iter()
            .map(|((job, _), outcome)| (job.as_u128(), *outcome))
            .collect();
        all.sort_unstable();
        all
    }
}

type Shared = State<Arc<Mutex<Ledger>>>;

fn problem(status: StatusCode, code: &str) -> Value {
    json!({"type": "/problems/x", "title": "no", "status": status.as_u16(), "code": code, "detail": "no"})
}

fn refuse(status: StatusCode, code: &str) -> Response {
    (status, Json(problem(status, code))).into_response()
}

async fn claim(State(ledger): Shared, Json(claim): Json<Value>) -> Response {
    let deadline = Instant::now() + Duration::from_millis(claim["waitMs"].as_u64().unwrap());
    ledger.lock().unwrap().claims.push(claim.clone());
    loop {
        {
            let mut ledger = ledger.lock().unwrap();
            if let Some(code) = ledger.refuse_claims {
                return refuse(StatusCode::FORBIDDEN, code);
            }
            if !ledger.queue.is_empty() || Instant::now() >= deadline {
                return Json(ledger.grant(claim["max"].as_u64().unwrap())).into_response();
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

impl Ledger {
    fn grant(&mut self, max: u64) -> Value {
        let mut grants = Vec::new();
        while (grants.len() as u64) < max
            && let Some(job) = self.queue.pop_front()
        {
            self.granted += 1;
            let token = format!("token-{}", self.granted);
            self.leases.insert(job, token.clone());
            grants.push(json!({
                "jobId": job, "type": "test", "leaseId": Uuid::from_u128(u128::from(self.granted) << 64),
                "leaseToken": token, "fence": self.granted, "leaseUntil": "2026-01-01T00:00:00Z",
                "leaseDurationMs": self.lease_ms, "heartbeatMs": self.lease_ms / 3,
                "attempt": 1, "maxAttempts": 5, "idempotencyKey": job, "payload": {"n": job.as_u64_pair().1},
                "payloadDigest": "sha256:00", "tenant": "t", "correlationId": "c", "addedLater": true,
            }));
        }
        json!({"grants": grants, "leaseDurationMs": self.lease_ms, "heartbeatMs": self.lease_ms / 3})
    }

    fn holds(&self, named: &Value) -> bool {
        let job: Uuid = named["jobId"].as_str().unwrap().parse().unwrap();
        self.leases.get(&job).map(String::as_str) == named["leaseToken"].as_str()
    }
}

async fn heartbeat(State(ledger): Shared, Json(beat): Json<Value>) -> Response {
    let mut ledger = ledger.lock().unwrap();
    if ledger.deaf_to_heartbeats {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE");
    }
    let directives: Vec<Value> = beat["leases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|named| {
            let directive = match ledger.directive {
                Some(directive) if ledger.holds(named) => directive,
                None if ledger.holds(named) => "continue",
                _ => "leaseLost",
            };
            json!({"jobId": named["jobId"], "directive": directive})
        })
        .collect();
    let answer = json!({
        "leaseDurationMs": ledger.lease_ms, "heartbeatMs": ledger.lease_ms / 3, "directives": directives,
    });
    ledger.beats.push((Instant::now(), beat));
    Json(answer).into_response()
}

async fn complete(State(ledger): Shared, Json(complete): Json<Value>) -> Response {
    let mut ledger = ledger.lock().unwrap();
    ledger.completes.push(complete.clone());
    let reports = complete["reports"].as_array().unwrap();
    if let Some(text) = ledger.unreadable
        && reports.iter().any(|report| report["result"] == text)
    {
        return refuse(StatusCode::UNPROCESSABLE_ENTITY, "VALIDATION");
    }
    let results: Vec<Value> = reports.iter().map(|report| ledger.report(report)).collect();
    if ledger.cut_completes > 0 {
        ledger.cut_completes -= 1;
        let cut = futures_util::stream::iter([
            Ok(Bytes::from_static(b"{\"results\":")),
            Err(std::io::Error::other("cut")),
        ]);
        return Body::from_stream(cut).into_response();
    }
    if let [only] = results.as_slice()
        && only["accepted"] == false
    {
        return refuse(StatusCode::CONFLICT, "LEASE_LOST");
    }
    Json(json!({"results": results})).into_response()
}

impl Ledger {
    fn report(&mut self, report: &Value) -> Value {
        let job: Uuid = report["jobId"].as_str().unwrap().parse().unwrap();
        let token = report["leaseToken"].as_str().unwrap().to_owned();
        let outcome = match report["outcome"].as_str().unwrap() {
            "succeeded" => "succeeded",
            "failed" => "failed",
            "canceled" => "canceled",
            "released" => "released",
            other => panic!("outcome {other}"),
        };
        let key = (job, token);
        if self.leases.get(&job) == Some(&key.1) {
            self.leases.remove(&job);
            self.answered.insert(key.clone(), outcome);
        }
        match self.answered.get(&key) {
            Some(first) => json!({"jobId": job, "accepted": true, "state": first}),
            None => {
                json!({"jobId": job, "accepted": false, "problem": problem(StatusCode::CONFLICT, "LEASE_LOST")})
            }
        }
    }
}

async fn artifact(
    State(ledger): Shared,
    Path((_, name)): Path<(Uuid, String)>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let token = headers["x-lease-token"].to_str().unwrap();
    let media_type = headers["content-type"].to_str().unwrap();
    let entry = format!("{token} {name} {media_type}");
    ledger.lock().unwrap().artifacts.push(entry);
    let stored = json!({"digest": "sha256:00", "bytes": bytes.len()});
    (StatusCode::CREATED, Json(stored)).into_response()
}
