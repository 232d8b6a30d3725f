//! PostgreSQL is stopped and started again under load: refusals come quickly, work goes on soon, and
//! what was acknowledged is there.

#![expect(
    clippy::unwrap_used,
    reason = "a test has nothing to decide when its set-up fails"
)]

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jobengine_domain::time::Timestamp;
use jobengine_store::embedded::{Cluster, Options, SUPERUSER};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

/// Whatever takes longer has failed.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long the database is away.
const AWAY: Duration = Duration::from_secs(4);
/// A refusal takes no longer, on a machine that does other things too.
const REFUSED_WITHIN: Duration = Duration::from_millis(2_500);
/// Nor does it take longer to be ready again.
const READY_WITHIN: Duration = Duration::from_secs(3);
const CLIENTS: usize = 4;

/// A control control over a PostgreSQL that is not its own.
struct Plane {
    child: Child,
    url: String,
}

impl Plane {
    fn start(place: &Place, port: u16) -> Self {
        let log = std::fs::File::create(place.data.join("serve.log")).unwrap();
        let child = place
            .command(&["serve", "--roles", "api,duties", "--drain-seconds", "0"])
            .args(["--token-key", &place.told(&["token", "key"])])
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(["--admin-listen", "127.0.0.1:0"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let url = format!("http://127.0.0.1:{port}");
        Self { child, url }
    }
}

impl Drop for Plane {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where its files and its database are.
struct Place {
    data: PathBuf,
    app: String,
    admin: String,
}

impl Place {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jobengine"));
        command
            .args(args)
            .arg("--data-dir")
            .arg(&self.data)
            .env("DATABASE_URL", &self.app)
            .env("DATABASE_ADMIN_URL", &self.admin)
            .env_remove("DATABASE_SCHED_URL")
            .stdin(Stdio::null());
        command
    }

    fn told(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {complaint}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// One client's story: what was acknowledged, and how long refusals took.
#[derive(Default)]
struct Story {
    acknowledged: BTreeSet<Uuid>,
    refused: usize,
    slowest_refusal: Duration,
}

/// A key that nobody used before.
fn fresh_key() -> Uuid {
    jobengine_store::draw(Timestamp::from_micros(0))
}

/// Submits until it is told to stop; a request without an answer is sent again under its key.
async fn submit(http: Client, url: String, token: String, stop: Arc<AtomicBool>) -> Story {
    let mut story = Story::default();
    let mut key = fresh_key();
    let job = json!({"jobs": [{"type": "restart.test", "payload": {"n": 1}}]});
    while !stop.load(Ordering::Relaxed) {
        let asked = Instant::now();
        let request = http.post(format!("{url}/api/v1/orchestrator/jobs"));
        let request = request
            .bearer_auth(&token)
            .header("idempotency-key", key.to_string());
        let response = request.json(&job).send().await.expect("the API answers");
        let status = response.status();
        let body: Value = response.json().await.unwrap();
        if status == StatusCode::CREATED {
            let id = body["jobIds"][0].as_str().unwrap().parse().unwrap();
            assert!(story.acknowledged.insert(id), "{id} twice");
            key = fresh_key();
        } else {
            assert_eq!(body["code"], "DATABASE_UNAVAILABLE", "{body:#}");
            story.refused += 1;
            story.slowest_refusal = story.slowest_refusal.max(asked.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    story
}

/// A port that nobody listens on right now.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

async fn until_ready(http: &Client, url: &str) -> Duration {
    let started = Instant::now();
    loop {
        let ready = http.get(format!("{url}/readyz")).send().await;
        if ready.is_ok_and(|response| response.status() == StatusCode::OK) {
            return started.elapsed();
        }
        assert!(started.elapsed() < PATIENCE, "never ready");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Every job in the ledger.
async fn jobs(http: &Client, url: &str, token: &str) -> BTreeSet<Uuid> {
    let (mut all, mut after) = (BTreeSet::new(), String::new());
    loop {
        let page = format!("{url}/api/v1/orchestrator/jobs?limit=500{after}");
        let page = http.get(page).bearer_auth(token).send().await.unwrap();
        let page: Value = page.json().await.unwrap();
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_postgresql_loses_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    // PostgreSQL, started by root, runs as somebody else.
    std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let options = Options::new(dir.path().join("database"));
    let database = Cluster::start(&options).await.unwrap();
    let place = Place {
        data: dir.path().join("data"),
        app: database.connect_string("orch_app", "postgres"),
        admin: database.connect_string(SUPERUSER, "postgres"),
    };
    place.told(&["migrate"]);
    let tenant = place.told(&["tenant", "create", "restart"]);
    let token = place.told(&["token", "mint", "--tenant", &tenant]);
    let port = free_port();
    let control = Plane::start(&place, port);
    let http = Client::builder().tls_certs_only([]).build().unwrap();
    until_ready(&http, &control.url).await;

    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (http, url, token) = (http.clone(), control.url.clone(), token.clone());
        clients.spawn(submit(http, url, token, Arc::clone(&stop)));
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    database.stop().await.unwrap();
    tokio::time::sleep(AWAY).await;
    let ready = http
        .get(format!("{}/readyz", control.url))
        .send()
        .await
        .unwrap();
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    let database = Cluster::start(&options).await.unwrap();
    let ready = until_ready(&http, &control.url).await;
    assert!(ready <= READY_WITHIN, "ready {ready:?} after it was back");
    tokio::time::sleep(Duration::from_secs(2)).await;
    stop.store(true, Ordering::Relaxed);

    let mut acknowledged = BTreeSet::new();
    while let Some(story) = clients.join_next().await {
        let story = story.unwrap();
        assert!(
            story.refused > 0,
            "it was asked while the database was away"
        );
        let slowest = story.slowest_refusal;
        assert!(slowest <= REFUSED_WITHIN, "a refusal took {slowest:?}");
        acknowledged.extend(story.acknowledged);
    }
    assert!(
        acknowledged.len() > 100,
        "{} under load",
        acknowledged.len()
    );
    let found = jobs(&http, &control.url, &token).await;
    // The clients repeated what had no good answer under its key, and stopped only after an answer.
    let lost: Vec<_> = acknowledged.difference(&found).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let twice = found.len() - acknowledged.len();
    assert!(twice <= CLIENTS, "{twice} jobs nobody was told of");
    drop(control);
    database.stop().await.unwrap();
}
