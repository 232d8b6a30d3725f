//! The control plane is killed with kill -9, PostgreSQL with it, again and again, while workers run
//! a thousand jobs: none is lost, none is accepted twice.

#![expect(
    clippy::unwrap_used,
    reason = "a test has nothing to decide when its set-up fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jobengine_sdk::wire::job::{JobFilter, NewJob};
use jobengine_sdk::wire::lease::{Claim, Grant, Heartbeat};
use jobengine_sdk::wire::page::PageQuery;
use jobengine_sdk::wire::report::{Complete, Outcome, Report};
use jobengine_sdk::{Client, TokenSource};
use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;

const JOBS: usize = 1_000;
const KILLS: usize = 10;
const WORKERS: u128 = 4;
/// Whatever takes longer has failed.
const PATIENCE: Duration = Duration::from_mins(2);

/// A control plane that can be killed and started again over the same data.
struct ControlPlane<'a> {
    data: &'a Path,
    port: u16,
    child: Child,
}

impl<'a> ControlPlane<'a> {
    fn start(data: &'a Path, port: u16) -> Self {
        let log = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(data.join("serve.log"))
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_jobengine"))
            .args(["serve", "--roles", "api,duties", "--lease-seconds", "2"])
            .args([
                "--listen",
                &format!("127.0.0.1:{port}"),
                "--admin-listen",
                "127.0.0.1:0",
            ])
            .arg("--token-key")
            .arg(told(data, &["token", "key"]))
            .arg("--data-dir")
            .arg(data)
            .env_remove("DATABASE_URL")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { data, port, child }
    }

    fn kill_and_start_again(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        *self = Self::start(self.data, self.port);
    }
}

impl Drop for ControlPlane<'_> {
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
    assert!(
        output.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Calls until there is an answer: while the control plane is away, there is none.
async fn until_answered<T>(mut call: impl AsyncFnMut() -> Result<T, jobengine_sdk::Error>) -> T {
    let started = Instant::now();
    loop {
        match call().await {
            Ok(answer) => return answer,
            Err(error) => assert!(started.elapsed() < PATIENCE, "no answer for long: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What the workers share with whoever kills their server.
#[derive(Default)]
struct Progress {
    accepted: AtomicUsize,
    stop: AtomicBool,
}

/// Claims and completes until it is told to stop; returns the fences under which reports on each
/// job were accepted.
async fn work(
    client: Client,
    number: u128,
    progress: Arc<Progress>,
) -> BTreeMap<Uuid, BTreeSet<i64>> {
    let session_id = Uuid::from_u128(0x7000_8000_0000_0000_0000 + number);
    let mut accepted: BTreeMap<Uuid, BTreeSet<i64>> = BTreeMap::new();
    while !progress.stop.load(Ordering::Relaxed) {
        let claim = Claim {
            session_id,
            worker: format!("worker-{number}"),
            types: vec!["crash.test".to_owned()],
            max: 7,
            wait_ms: 300,
            slots: Some(7),
        };
        let Ok(claimed) = client.claim(&claim).await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        for grant in claimed.grants {
            // The work itself, and now and then a report that comes when nobody is there to hear it.
            tokio::time::sleep(Duration::from_millis(3)).await;
            if report(&client, session_id, &grant).await {
                accepted
                    .entry(grant.job_id)
                    .or_default()
                    .insert(grant.fence);
                progress.accepted.fetch_add(1, Ordering::Relaxed);
            }
        }
        // Grants whose answer was lost are in no worker's hands: the heartbeat gives them back.
        let heartbeat = Heartbeat {
            session_id,
            leases: Vec::new(),
            progress: Vec::new(),
        };
        let _ = client.heartbeat(&heartbeat, Duration::from_secs(2)).await;
    }
    accepted
}

async fn report(client: &Client, session_id: Uuid, grant: &Grant) -> bool {
    let report = Report {
        job_id: grant.job_id,
        lease_token: grant.lease_token.clone(),
        outcome: Outcome::Succeeded,
        class: None,
        retry_after_ms: None,
        detail: None,
        result: Some(json!({ "fence": grant.fence })),
    };
    let complete = Complete {
        session_id,
        reports: vec![report],
    };
    let started = Instant::now();
    loop {
        match client.complete(&complete).await {
            Ok(answer) => return answer.results[0].accepted,
            Err(jobengine_sdk::Error::Problem(problem)) if problem.code == "LEASE_LOST" => {
                return false;
            }
            Err(error) => assert!(started.elapsed() < PATIENCE, "no answer for long: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn succeeded(client: &Client) -> usize {
    let filter = JobFilter {
        state: Some("succeeded".to_owned()),
        ..JobFilter::default()
    };
    let mut page = PageQuery {
        limit: Some(500),
        continuation_token: None,
    };
    let mut count = 0;
    loop {
        let Ok(jobs) = client.jobs(&filter, &page).await else {
            return 0;
        };
        count += jobs.items.len();
        match jobs.continuation_token {
            Some(token) => page.continuation_token = Some(token),
            None => return count,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_jobs_survive_ten_kills() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    let tenant = told(data, &["tenant", "create", "crash"]);
    let token = told(data, &["token", "mint", "--tenant", &tenant]);
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut plane = ControlPlane::start(data, port);
    let client = || {
        Client::builder(format!("http://127.0.0.1:{port}"))
            .token(TokenSource::fixed(token.clone()))
            .timeout(Duration::from_secs(5))
            .build()
            .unwrap()
    };
    let observer = client();
    let jobs: Vec<NewJob> = (0..JOBS)
        .map(|n| NewJob::new("crash.test", json!({ "n": n })))
        .collect();
    let ids: BTreeSet<Uuid> = until_answered(async || observer.jobs_submit(&jobs).await)
        .await
        .job_ids
        .into_iter()
        .collect();
    assert_eq!(ids.len(), JOBS);

    let progress = Arc::new(Progress::default());
    let mut workers = JoinSet::new();
    for number in 0..WORKERS {
        workers.spawn(work(client(), number, Arc::clone(&progress)));
    }
    // Spread over the work by how much of it is done, and by a fixed seed within that: at any point
    // of a claim, a report, a start.
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for kill in 1..=KILLS {
        let started = Instant::now();
        while progress.accepted.load(Ordering::Relaxed) < kill * JOBS / (KILLS + 1) {
            assert!(started.elapsed() < PATIENCE, "no job ends any more");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        tokio::time::sleep(Duration::from_millis((seed >> 33) % 40)).await;
        plane.kill_and_start_again();
    }
    assert!(
        progress.accepted.load(Ordering::Relaxed) < JOBS,
        "every kill hit work under way"
    );
    let started = Instant::now();
    while succeeded(&observer).await < JOBS {
        assert!(started.elapsed() < PATIENCE, "some jobs never end");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    progress.stop.store(true, Ordering::Relaxed);
    let mut accepted: BTreeMap<Uuid, BTreeSet<i64>> = BTreeMap::new();
    while let Some(of_worker) = workers.join_next().await {
        for (job, fences) in of_worker.unwrap() {
            accepted.entry(job).or_default().extend(fences);
        }
    }
    let twice: Vec<_> = accepted
        .iter()
        .filter(|(_, fences)| fences.len() > 1)
        .collect();
    assert!(twice.is_empty(), "accepted under two fences: {twice:?}");
    assert_eq!(
        accepted.keys().copied().collect::<BTreeSet<_>>(),
        ids,
        "every success was answered to its worker"
    );
    // What the ledger says is what the workers were told.
    for job in ids.iter().take(100) {
        let told = observer.job(*job).await.unwrap();
        let fence = told.result.unwrap()["fence"].as_i64().unwrap();
        assert_eq!(accepted[job], BTreeSet::from([fence]));
    }
}
