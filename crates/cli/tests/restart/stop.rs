//! `jobengine serve` stops under load: every call meets an answer, or the clean end of a connection at rest.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jobengine_store::embedded::{Cluster, Options, SUPERUSER};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::caller::{Caller, Ends, Reply};
use crate::client::fresh_key;
use crate::place::{Place, Plane, free_port};
use crate::{ALONE, until_ready};

/// How long each of the stops goes on answering, in seconds.
const DRAINS: [&str; 6] = ["0", "1", "0", "1", "0", "0"];
const CLIENTS: usize = 32;

/// Submits a job, claims one and reports on it, until the server is gone.
async fn work(mut caller: Caller) -> Result<(), String> {
    let session = fresh_key();
    let jobs = json!({"jobs": [{"type": "stop", "payload": 1}]});
    let claim = json!({"sessionId": session, "worker": "w", "types": ["stop"], "max": 1});
    while let Some(submitted) = caller.post("/jobs", &jobs).await? {
        expect(201, &submitted)?;
        let Some(claimed) = caller.post("/worker/claim", &claim).await? else {
            break;
        };
        expect(200, &claimed)?;
        let report = |grant: &Value| json!({"jobId": grant["jobId"], "leaseToken": grant["leaseToken"], "outcome": "succeeded"});
        let grants = claimed.body["grants"].as_array().into_iter().flatten();
        let reports: Vec<Value> = grants.map(report).collect();
        if reports.is_empty() {
            continue;
        }
        let reports = json!({"sessionId": session, "reports": reports});
        let Some(reported) = caller.post("/worker/complete", &reports).await? else {
            break;
        };
        expect(200, &reported)?;
    }
    Ok(())
}

fn expect(status: u16, found: &Reply) -> Result<(), String> {
    let sound = found.status == status;
    sound
        .then_some(())
        .ok_or_else(|| format!("{} {:#}", found.status, found.body))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_of_the_process_breaks_no_call() {
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
    let tenant = place.told(&["tenant", "create", "stop"]);
    let token = place.told(&["token", "mint", "--tenant", &tenant]);
    let ends = Arc::new(Ends::default());
    let mut broken = Vec::new();
    for (stop, drain) in DRAINS.into_iter().enumerate() {
        let port = free_port();
        let serving = Plane::start(&place, port, drain);
        let probe = crate::client::Caller {
            http: Client::builder().tls_certs_only([]).build().unwrap(),
            token: token.clone(),
            url: serving.url.clone(),
            stop: Arc::new(AtomicBool::new(false)),
        };
        until_ready(&probe).await;
        let server = SocketAddr::from(([127, 0, 0, 1], port));
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            clients.spawn(work(Caller::new(server, &token, &ends)));
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        tokio::task::spawn_blocking(|| serving.stop())
            .await
            .unwrap();
        while let Some(story) = clients.join_next().await {
            broken.extend(
                story
                    .unwrap()
                    .err()
                    .map(|how| format!("stop {stop}: {how}")),
            );
        }
    }
    let answered = ends.answered.load(Ordering::Relaxed);
    let unread = ends.unread.load(Ordering::Relaxed);
    println!("{answered} calls answered, {unread} met the end of a connection at rest");
    assert!(
        broken.is_empty(),
        "{} calls broke:\n{}",
        broken.len(),
        broken.join("\n")
    );
    assert!(answered > 100, "no load");
    database.stop().await.unwrap();
}
