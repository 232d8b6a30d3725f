//! The evaluator within `dev`: whatever becomes of it, the API goes on, and it comes back.

use std::time::Instant;

use jobengine_sdk::{Method, Request};
use serde_json::{Value, json};

use super::{Dev, PATIENCE};

impl Dev {
    /// The sessions of workers that are alive.
    async fn sessions(&self) -> Vec<Value> {
        let list = Request::new(Method::GET, ["api", "v1", "orchestrator", "workers"]);
        let workers: Value = self.client().request(list).await.unwrap();
        let items = workers["items"].as_array().unwrap();
        items
            .iter()
            .map(|worker| worker["sessionId"].clone())
            .collect()
    }
}

#[tokio::test]
async fn an_evaluator_whose_token_is_taken_back_starts_again_with_a_new_one() {
    let data = tempfile::tempdir().unwrap();
    let dev = Dev::start(data.path()).await;
    let before = some(&dev, |_| true).await;
    let revocation = Request::new(
        Method::POST,
        ["api", "v1", "orchestrator", "identity", "revocations"],
    )
    .json(&json!({"subject": "worker"}));
    let _: Value = dev.client().request(revocation).await.unwrap();
    some(&dev, |session| *session != before).await;
    dev.stop();
}

/// Waits for a session that is `wanted`.
async fn some(dev: &Dev, wanted: impl Fn(&Value) -> bool) -> Value {
    let started = Instant::now();
    loop {
        if let Some(session) = dev.sessions().await.into_iter().find(&wanted) {
            return session;
        }
        assert!(started.elapsed() < PATIENCE, "no evaluator comes");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}
