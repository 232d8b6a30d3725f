//! Clients that go on asking, and what became of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jobengine_domain::time::Timestamp;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

/// One of those who ask for the same thing again and again. Cheap to clone.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) http: Client,
    pub(super) url: String,
    pub(super) token: String,
    pub(super) stop: Arc<AtomicBool>,
}

/// One client's story: what was acknowledged, and how long refusals took.
#[derive(Default)]
pub(super) struct Story {
    pub(super) acknowledged: BTreeSet<Uuid>,
    pub(super) slowest_refusal: Duration,
    /// When the first answer came that was none.
    pub(super) refused_at: Option<Instant>,
}

/// A kind of request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Read,
    Claim,
    Complete,
    KeyedAct,
    Ready,
}

impl Kind {
    pub(super) const ALL: [Self; 5] = [
        Self::Read,
        Self::Claim,
        Self::Complete,
        Self::KeyedAct,
        Self::Ready,
    ];
}

impl Caller {
    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        let path = format!("{}/api/v1/orchestrator{path}", self.url);
        self.http.get(path).bearer_auth(&self.token)
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        let path = format!("{}/api/v1/orchestrator{path}", self.url);
        self.http.post(path).bearer_auth(&self.token).json(body)
    }

    /// Submits until it is told to stop; a request without an answer is sent again under its key.
    pub(super) async fn submit(self) -> Story {
        let mut story = Story::default();
        let mut key = fresh_key();
        let job = json!({"jobs": [{"type": "restart.test", "payload": {"n": 1}}]});
        while !self.stop.load(Ordering::Relaxed) {
            let request = self.post("/jobs", &job);
            let request = request.header("idempotency-key", key.to_string());
            let (status, body) = story.send(request).await;
            if status == StatusCode::CREATED {
                let id = body["jobIds"][0].as_str().unwrap().parse().unwrap();
                assert!(story.acknowledged.insert(id), "{id} twice");
                key = fresh_key();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        story
    }

    /// Asks for one kind of thing until it is told to stop.
    pub(super) async fn ask(self, kind: Kind) -> Story {
        let mut story = Story::default();
        let session = fresh_key().to_string();
        while !self.stop.load(Ordering::Relaxed) {
            let request = match kind {
                Kind::Read => self.get("/jobs?limit=1"),
                Kind::Claim => self.post(
                    "/worker/claim",
                    &json!({"sessionId": session, "worker": "w", "types": ["none"], "max": 1}),
                ),
                Kind::Complete => self.post(
                    "/worker/complete",
                    &json!({"sessionId": session, "reports": [{
                        "jobId": fresh_key(), "leaseToken": fresh_key(), "outcome": "succeeded",
                    }]}),
                ),
                Kind::KeyedAct => {
                    let key = fresh_key().to_string();
                    let project = json!({"name": format!("p-{key}")});
                    let request = self.post("/projects", &project);
                    request.header("idempotency-key", key)
                }
                Kind::Ready => self.http.get(format!("{}/readyz", self.url)),
            };
            story.send(request).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        story
    }
}

impl Story {
    async fn send(&mut self, request: RequestBuilder) -> (StatusCode, Value) {
        let asked = Instant::now();
        let response = request.send().await.expect("the API answers");
        let status = response.status();
        let retry_after = response.headers().contains_key("retry-after");
        let body: Value = response.json().await.unwrap();
        if status.is_server_error() {
            assert_eq!(body["code"], "DATABASE_UNAVAILABLE", "{body:#}");
            assert!(retry_after);
            self.refused_at.get_or_insert_with(Instant::now);
            self.slowest_refusal = self.slowest_refusal.max(asked.elapsed());
        } else {
            // The reports are of a lease that nobody has.
            let lost = body["code"] == "LEASE_LOST";
            assert!(status.is_success() || lost, "{body:#}");
        }
        (status, body)
    }
}

/// A key that nobody used before.
pub(super) fn fresh_key() -> Uuid {
    jobengine_store::draw(Timestamp::from_micros(0))
}

/// Every job in the ledger.
pub(super) async fn jobs(caller: &Caller) -> BTreeSet<Uuid> {
    let (mut all, mut after) = (BTreeSet::new(), String::new());
    loop {
        let page = caller.get(&format!("/jobs?limit=500{after}"));
        let page: Value = page.send().await.unwrap().json().await.unwrap();
        let items = page["items"].as_array().unwrap();
        all.extend(items.iter().map(|job| {
            let id = job["jobId"].as_str().unwrap();
            id.parse::<Uuid>().unwrap()
        }));
        match page["continuationToken"].as_str() {
            Some(token) => after = format!("&continuationToken={token}"),
            None => return all,
        }
    }
}
