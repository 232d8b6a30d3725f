//! A real server, and a client that speaks to it.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jobengine_sdk::wire::lease::{Claim, Grant, HeldLease};
use jobengine_sdk::wire::page::PageQuery;
use jobengine_sdk::wire::report::{Complete, FailureClass, Outcome, Report};
use jobengine_sdk::{Client, Method, Request, TokenSource};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

/// Whatever takes longer has failed.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
const SESSION: Uuid = Uuid::from_u128(0x7000_8000_0000_0000_0051);

pub(crate) struct Service {
    child: Child,
    pub(crate) client: Client,
    _data: TempDir,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command of the binary and returns what it prints.
fn told(data: &Path, args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_jobengine"))
        .args(args)
        .arg("--data-dir")
        .arg(data)
        .env_remove("DATABASE_URL")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {said}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl Service {
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path();
        let tenant = told(data, &["tenant", "create", "sdk"]);
        let token = told(data, &["token", "mint", "--tenant", &tenant]);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let child = Command::new(env!("CARGO_BIN_EXE_jobengine"))
            .args(["serve", "--roles", "api,duties", "--listen", &address])
            .args(["--admin-listen", "127.0.0.1:0", "--token-key"])
            .arg(told(data, &["token", "key"]))
            .arg("--data-dir")
            .arg(data)
            .env_remove("DATABASE_URL")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(data.join("serve.log")).unwrap())
            .spawn()
            .unwrap();
        let client = Client::builder(format!("http://{address}"))
            .token(TokenSource::fixed(token))
            .build()
            .unwrap();
        let started = Instant::now();
        while client.workers(&PageQuery::default()).await.is_err() {
            assert!(started.elapsed() < PATIENCE, "not ready for long");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Self {
            child,
            client,
            _data: dir,
        }
    }

    pub(crate) async fn made(&self, what: &str, body: &Value) -> Value {
        let path = ["api", "v1", "orchestrator", what];
        let request = Request::new(Method::POST, path).json(body);
        self.client.request(request).await.unwrap()
    }

    /// A project of our own.
    pub(crate) async fn project(&self) -> Uuid {
        let made = self.made("projects", &json!({"name": "p"})).await;
        made["projectId"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) async fn claim(&self, job_type: &str) -> Grant {
        let claim = Claim {
            session_id: SESSION,
            worker: "w".to_owned(),
            types: vec![job_type.to_owned()],
            max: 1,
            wait_ms: 10_000,
            slots: Some(3),
        };
        self.client.claim(&claim).await.unwrap().grants.remove(0)
    }

    /// The job's state after this report.
    pub(crate) async fn report(
        &self,
        grant: &Grant,
        outcome: Outcome,
        class: Option<FailureClass>,
    ) -> String {
        let report = Report {
            job_id: grant.job_id,
            lease_token: grant.lease_token.clone(),
            outcome,
            class,
            retry_after_ms: class.map(|_| 3_600_000),
            detail: None,
            result: (outcome == Outcome::Succeeded).then(|| json!({"ok": true})),
        };
        let complete = Complete {
            session_id: SESSION,
            reports: vec![report],
        };
        let mut answer = self.client.complete(&complete).await.unwrap();
        answer.results.remove(0).state.unwrap()
    }
}

pub(crate) fn held(grant: &Grant) -> HeldLease {
    HeldLease {
        job_id: grant.job_id,
        lease_token: grant.lease_token.clone(),
    }
}
