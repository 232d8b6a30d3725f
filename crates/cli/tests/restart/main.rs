//! PostgreSQL goes away under load and comes back: refusals come quickly, work goes on soon, and what was
//! acknowledged is there. The control plane stops under load: no call breaks.

#![expect(
    clippy::unwrap_used,
    reason = "a test has nothing to decide when its set-up fails"
)]

#[path = "../../../api/tests/edge/caller.rs"]
mod caller;
mod client;
mod debt;
mod place;
mod stop;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jobengine_store::embedded::{Cluster, Options, Running, SUPERUSER};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::{Client, StatusCode};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use client::{Caller, Kind, jobs};
use place::{Place, Plane, free_port};

/// Whatever takes longer has failed.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long the database is away.
const AWAY: Duration = Duration::from_secs(4);
/// The first refusal comes so soon after the stop, and none takes longer.
const REFUSED_WITHIN: Duration = Duration::from_secs(2);
/// Nor does it take longer to be ready again.
const READY_WITHIN: Duration = Duration::from_secs(3);
const SUBMITTERS: usize = 4;
/// Lines of the log that say so, however many requests were refused: the two changes, ten requests of each
/// listener's, and what goes on by itself.
const WARNINGS_MAX: usize = 40;

/// One outage at a time: what is timed here has the machine for itself.
static ALONE: Mutex<()> = Mutex::const_new(());

/// How PostgreSQL goes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// It is stopped and started again: connections break, and new ones are refused.
    Stopped,
    /// Nothing breaks and nothing is answered: as when its machine is gone, or the network to it.
    Frozen,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_postgresql_loses_nothing_that_was_acknowledged() {
    outage(How::Stopped).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgresql_that_says_nothing_is_found_out_in_time() {
    outage(How::Frozen).await;
}

async fn outage(how: How) {
    let _alone = ALONE.lock().await;
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
    let caller = Caller {
        http: Client::builder().tls_certs_only([]).build().unwrap(),
        token: place.told(&["token", "mint", "--tenant", &tenant]),
        url: String::new(),
        stop: Arc::new(AtomicBool::new(false)),
    };
    let control = Plane::start(&place, free_port(), "0");
    let caller = Caller {
        url: control.url.clone(),
        ..caller
    };
    until_ready(&caller).await;

    let mut clients = JoinSet::new();
    for _ in 0..SUBMITTERS {
        let submitter = caller.clone().submit();
        clients.spawn(async move { ("submit".to_owned(), submitter.await) });
    }
    for kind in Kind::ALL {
        let asking = caller.clone().ask(kind);
        clients.spawn(async move { (format!("{kind:?}"), asking.await) });
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let went = Instant::now();
    let database = away(how, database, &options, &caller).await;
    let ready = until_ready(&caller).await;
    assert!(ready <= READY_WITHIN, "ready {ready:?} after it was back");
    tokio::time::sleep(Duration::from_secs(2)).await;
    caller.stop.store(true, Ordering::Relaxed);

    let mut acknowledged = BTreeSet::new();
    while let Some(story) = clients.join_next().await {
        let (who, story) = story.unwrap();
        let first = story.refused_at.expect("it was asked meanwhile") - went;
        let slowest = story.slowest_refusal;
        println!("{how:?}: {who}: refused after {first:?}, the slowest took {slowest:?}");
        assert!(first <= REFUSED_WITHIN, "{who}: refused after {first:?}");
        assert!(
            slowest <= REFUSED_WITHIN,
            "{who}: a refusal took {slowest:?}"
        );
        acknowledged.extend(story.acknowledged);
    }
    println!(
        "{how:?}: ready {ready:?} after it was back, {} jobs",
        acknowledged.len()
    );
    assert!(
        acknowledged.len() > 100,
        "{} under load",
        acknowledged.len()
    );
    let found = jobs(&caller).await;
    // The clients repeated what had no good answer under its key, and stopped only after an answer.
    let lost: Vec<_> = acknowledged.difference(&found).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let twice = found.len() - acknowledged.len();
    assert!(twice <= SUBMITTERS, "{twice} jobs nobody was told of");
    drop(control);
    let warnings = warnings(&place.data.join("serve.log"));
    let changes = |text: &str| warnings.iter().filter(|line| line.contains(text)).count();
    println!("{how:?}: {} warnings", warnings.len());
    assert_eq!(changes("PostgreSQL is away"), 1, "{warnings:#?}");
    assert_eq!(changes("PostgreSQL answers again"), 1, "{warnings:#?}");
    assert!(warnings.len() <= WARNINGS_MAX, "{warnings:#?}");
    database.stop().await.unwrap();
}

/// Has PostgreSQL away for a while, and back.
async fn away(how: How, database: Running, options: &Options, caller: &Caller) -> Running {
    match how {
        How::Stopped => {
            database.stop().await.unwrap();
            tokio::time::sleep(AWAY).await;
            assert!(!is_ready(caller).await);
            Cluster::start(options).await.unwrap()
        }
        How::Frozen => {
            let postmaster = Pid::from_raw(database.pid());
            // First: it starts no further one while the others are looked up.
            kill(postmaster, Signal::SIGSTOP).unwrap();
            let servers = children(postmaster);
            for server in &servers {
                kill(*server, Signal::SIGSTOP).unwrap();
            }
            tokio::time::sleep(AWAY).await;
            assert!(!is_ready(caller).await);
            for process in servers.into_iter().chain([postmaster]) {
                kill(process, Signal::SIGCONT).unwrap();
            }
            database
        }
    }
}

/// The processes that one has started.
fn children(parent: Pid) -> Vec<Pid> {
    let children = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let path = entry.ok()?.path();
        let pid: i32 = path.file_name()?.to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(path.join("stat")).ok()?;
        // The fields after the name: state, parent.
        let of = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse::<i32>();
        (of == Ok(parent.as_raw())).then_some(Pid::from_raw(pid))
    });
    children.collect()
}

/// The lines of a log that ask for somebody's attention.
fn warnings(log: &Path) -> Vec<String> {
    let log = std::fs::read_to_string(log).unwrap();
    let warnings = log.lines().filter(|line| line.contains("WARN"));
    warnings.map(str::to_owned).collect()
}

async fn is_ready(caller: &Caller) -> bool {
    let ready = caller.http.get(format!("{}/readyz", caller.url));
    let ready = ready.send().await;
    ready.is_ok_and(|response| response.status() == StatusCode::OK)
}

async fn until_ready(caller: &Caller) -> Duration {
    let started = Instant::now();
    while !is_ready(caller).await {
        assert!(started.elapsed() < PATIENCE, "never ready");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    started.elapsed()
}
