//! What a run leaves out is evaluated after all: over HTTP, with two replicas, one of which dies, and the real evaluator.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jobengine_domain::digest::Digest;
use jobengine_store::embedded::{Cluster, Options, SUPERUSER};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::fresh_key;
use crate::place::{Place, Plane, free_port};
use crate::{ALONE, PATIENCE};

const IMAGES: u8 = 5;
const RUNS: &str = "/scheduler/runs";
const ADVISORIES: &str = "/scheduler/advisories?source=osv&mode=delta";

struct Site {
    dir: TempDir,
    http: Client,
    token: String,
    /// Where the replicas listen; they are asked in turns.
    urls: Vec<String>,
    asked: usize,
    session: String,
}

impl Site {
    async fn ready(&self) {
        for url in &self.urls {
            let started = Instant::now();
            let ready = || self.http.get(format!("{url}/readyz")).send();
            while !ready().await.is_ok_and(|it| it.status() == 200) {
                assert!(started.elapsed() < PATIENCE, "never ready");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Sends the SBOMs and the advisory, and keeps them as files; tells the images.
    async fn fill(&mut self) -> BTreeSet<String> {
        let folder = self.dir.path().join("sboms");
        std::fs::create_dir(&folder).unwrap();
        let mut digests = BTreeSet::new();
        for image in 0..IMAGES {
            let (digest, document) = (Digest::of(&[image]).to_string(), sbom(image));
            std::fs::write(folder.join(format!("{image}.json")), document.to_string()).unwrap();
            let path = format!("/scheduler/sboms?image={digest}");
            self.post(&path, &document).await;
            digests.insert(digest);
        }
        let file = self.dir.path().join("advisories.json");
        std::fs::write(file, advisory().to_string()).unwrap();
        self.post(ADVISORIES, &advisory()).await;
        digests
    }

    /// What is owed, as each replica tells it.
    async fn owed(&mut self) -> Vec<Value> {
        let mut told = Vec::new();
        for _ in 0..self.urls.len() {
            told.push(self.get("/scheduler/debts").await["items"].clone());
        }
        assert!(told.iter().all(|it| *it == told[0]), "{told:#?}");
        told[0].as_array().unwrap().clone()
    }

    /// The events about debts, in their order.
    async fn told(&mut self) -> Vec<String> {
        let events = self.get("/orchestrator/events?limit=500").await;
        let events = events["items"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        events
            .filter(|event| text(&event["eventType"]).starts_with("debt."))
            .map(|event| {
                let (kind, reason) = (&event["eventType"], &event["job"]["reason"]);
                format!("{} {}", text(kind), text(reason))
            })
            .collect()
    }

    /// Image, component and advisory of each finding.
    async fn found(&mut self, digests: &BTreeSet<String>) -> BTreeSet<[String; 3]> {
        let mut found = BTreeSet::new();
        for digest in digests {
            let path = format!("/scheduler/findings?image={digest}");
            let page = self.get(&path).await;
            for finding in page["items"].as_array().unwrap() {
                let (purl, advisory) = (&finding["purl"], &finding["advisories"][0]);
                found.insert([digest.clone(), purl.to_string(), advisory.to_string()]);
            }
        }
        found
    }

    /// What a look without a server finds in the same files.
    fn matched(&self) -> BTreeSet<[String; 3]> {
        let output = Command::new(env!("CARGO_BIN_EXE_jobengine"))
            .args(["match", "--output", "json", "--sbom"])
            .arg(self.dir.path().join("sboms"))
            .arg("--advisories")
            .arg(self.dir.path().join("advisories.json"))
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let rows = report["findings"].as_array().unwrap().iter();
        rows.map(|row| {
            let file = row["sbom"].as_str().unwrap().rsplit('/').next().unwrap();
            let number: u8 = file.trim_end_matches(".json").parse().unwrap();
            let digest = Digest::of(&[number]).to_string();
            [digest, row["purl"].to_string(), row["advisory"].to_string()]
        })
        .collect()
    }

    fn worker(&self) -> Child {
        let token = self.dir.path().join("worker.token");
        std::fs::write(&token, &self.token).unwrap();
        let mut worker = Command::new(env!("CARGO_BIN_EXE_jobengine"));
        worker.args(["worker", "--server", &self.urls[0], "--token-file"]);
        worker
            .arg(&token)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        worker.spawn().unwrap()
    }

    async fn ask(&mut self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        self.asked += 1;
        let url = &self.urls[self.asked % self.urls.len()];
        let request = self.http.request(method, format!("{url}/api/v1{path}"));
        let request = request.bearer_auth(&self.token);
        let request = request.header("idempotency-key", fresh_key().to_string());
        let request = match body {
            Value::Null => request,
            body => request.json(body),
        };
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn get(&mut self, path: &str) -> Value {
        let (status, answer) = self.ask(Method::GET, path, &Value::Null).await;
        assert_eq!(status, 200, "{path}: {answer:#}");
        answer
    }

    async fn post(&mut self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(Method::POST, path, body).await;
        assert!(matches!(status, 200..=202), "{path}: {status} {answer:#}");
        answer
    }

    /// Asks until the answer is as it should be.
    async fn until(&mut self, path: &str, is: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let answer = self.get(path).await;
            if is(&answer) {
                return answer;
            }
            assert!(started.elapsed() < PATIENCE, "{path}: {answer:#}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Takes segments, of which there are some, until none comes.
    async fn segments(&mut self) -> Vec<Value> {
        let mut found = Vec::new();
        loop {
            let claim = json!({"sessionId": self.session, "worker": "w", "types": ["impact.evaluate"], "max": 10,
                "waitMs": if found.is_empty() { 20_000 } else { 0 }});
            let claimed = self.post("/orchestrator/worker/claim", &claim).await;
            let grants = claimed["grants"].as_array().unwrap().clone();
            if grants.is_empty() {
                return found;
            }
            found.extend(grants);
        }
    }

    async fn fail(&mut self, segments: &[Value]) {
        let reports: Vec<Value> = segments
            .iter()
            .map(|grant| {
                json!({"jobId": grant["jobId"], "leaseToken": grant["leaseToken"], "outcome": "failed", "class": "policy"})
            })
            .collect();
        let body = json!({"sessionId": self.session, "reports": reports});
        let reported = self.post("/orchestrator/worker/complete", &body).await;
        let results = reported["results"].as_array().unwrap();
        assert!(
            results.iter().all(|it| it["accepted"] == true),
            "{reported:#}"
        );
    }

    /// The newest run, once it has completed.
    async fn completed(&mut self) -> Value {
        let runs = self.until(RUNS, |runs| !runs["items"][0]["completedAt"].is_null());
        runs.await["items"][0].clone()
    }
}

fn of_run(run: &Value, verb: &str) -> String {
    format!(
        "/orchestrator/runs/{}:{verb}",
        run["runId"].as_str().unwrap()
    )
}

fn sbom(image: u8) -> Value {
    let own = format!("pkg:npm/p{image}@1.0.0");
    json!({"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [
        {"type": "library", "purl": "pkg:npm/a@1.0.0"}, {"type": "library", "purl": own},
    ]})
}

fn advisory() -> Value {
    json!({"id": "X-1", "modified": "2026-01-01T00:00:00Z", "affected": [{
        "package": {"ecosystem": "npm", "name": "a"},
        "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.0.0"}]}],
    }]})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_and_canceled_runs_left_is_what_match_finds() {
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
    let tenant = place.told(&["tenant", "create", "debt"]);
    let replicas = [(); 2].map(|()| Plane::start(&place, free_port(), "0"));
    let mut site = Site {
        dir,
        http: Client::builder().tls_certs_only([]).build().unwrap(),
        token: place.told(&["token", "mint", "--tenant", &tenant]),
        urls: replicas.iter().map(|replica| replica.url.clone()).collect(),
        asked: 0,
        session: fresh_key().to_string(),
    };
    site.ready().await;
    let digests = site.fill().await;

    // A worker refuses what it gets, and neither the same news nor anything else brings the images back.
    let segments = site.segments().await;
    site.fail(&segments).await;
    let failed = site.completed().await;
    let left = (
        &failed["result"],
        &failed["imagesNotEvaluated"],
        &failed["imagesOwed"],
    );
    assert_eq!(left, (&json!("failed"), &json!(IMAGES), &json!(IMAGES)));
    let owed = site.owed().await;
    assert!(
        digests
            .iter()
            .eq(owed.iter().map(|debt| debt["image"].as_str().unwrap()))
    );
    assert!(
        owed.iter()
            .all(|debt| debt["reason"] == "failed" && debt["tries"] == 1)
    );
    assert_eq!(site.post(ADVISORIES, &advisory()).await["unchanged"], 1);

    // Asked for at once, and called off while a worker has it and one replica dies.
    let retried = site.post(&of_run(&failed, "retry"), &Value::Null).await;
    assert!(!site.segments().await.is_empty());
    let [first, second] = replicas;
    drop(first);
    site.urls.remove(0);
    site.post(&of_run(&retried, "cancel"), &json!({})).await;
    let canceled = site.completed().await;
    let left = (
        &canceled["runId"],
        &canceled["result"],
        &canceled["imagesOwed"],
    );
    assert_eq!(
        left,
        (&retried["runId"], &json!("canceled"), &json!(IMAGES))
    );
    assert!(site.owed().await.iter().all(|debt| debt["tries"] == 2));

    // The real evaluator does it.
    let mut worker = site.worker();
    site.post(&of_run(&canceled, "retry"), &Value::Null).await;
    let paid = |debts: &Value| debts["items"] == json!([]);
    site.until("/scheduler/debts", paid).await;
    worker.kill().unwrap();
    worker.wait().unwrap();
    let runs = site.get(RUNS).await;
    let owed: Vec<&Value> = (runs["items"].as_array().unwrap().iter())
        .map(|run| &run["imagesOwed"])
        .collect();
    assert_eq!(owed, [0, 0, 0]);
    let again = of_run(&canceled, "retry");
    let (status, _) = site.ask(Method::POST, &again, &Value::Null).await;
    assert_eq!(status, 409, "nothing is left to do");
    let told = site.told().await;
    assert_eq!(told, ["debt.left 5", "debt.left 5", "debt.paid 5"]);

    let expected = site.matched();
    assert_eq!(expected.len(), usize::from(IMAGES));
    assert_eq!(site.found(&digests).await, expected);
    drop(second);
    database.stop().await.unwrap();
}
