//! The audit trail from end to end: rows of real requests, sealed by the real duty, exported by the
//! operator's command, and then tampered with in every way, database included.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use jobengine_sdk::{Method, Request};
use serde_json::{Value, json};

use super::{Dev, PATIENCE};

impl Dev {
    fn key(&self) -> PathBuf {
        self.data.join("keys/audit.pub.pem")
    }

    /// Submits jobs, one request each, and waits until each has its seal.
    async fn act(&self, requests: usize) -> u64 {
        let before = self.sealed();
        for _ in 0..requests {
            let path = ["api", "v1", "orchestrator", "jobs"];
            let jobs = json!({"jobs": [{"type": "t", "payload": 1}]});
            let request = Request::new(Method::POST, path).json(&jobs);
            self.client().request::<Value>(request).await.unwrap();
        }
        let started = Instant::now();
        loop {
            let sealed = self.sealed();
            if sealed >= before + requests as u64 {
                return sealed;
            }
            assert!(started.elapsed() < PATIENCE, "rows are not sealed");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn sealed(&self) -> u64 {
        let last = self.checkpoints();
        let last = last.as_array().unwrap().last();
        last.map_or(0, |last| last["size"].as_u64().unwrap())
    }

    fn checkpoints(&self) -> Value {
        serde_json::from_slice(&self.asked(&["checkpoints", "--output", "json"])).unwrap()
    }

    /// Runs `jobengine audit …` against the server.
    fn asked(&self, args: &[&str]) -> Vec<u8> {
        let output = Command::new(env!("CARGO_BIN_EXE_jobengine"))
            .arg("audit")
            .args(args)
            .args(["--server", &self.url, "--token-file"])
            .arg(self.token())
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {error}");
        output.stdout
    }
}

/// An export in a file, and what is needed to verify it.
struct Evidence<'a> {
    dir: &'a Path,
    key: PathBuf,
    lines: Vec<String>,
}

impl Evidence<'_> {
    /// What `jobengine audit verify` finds in these lines: codes, with the row they are about.
    fn faults(&self, lines: &[String], held: Option<&Path>) -> Vec<(String, Option<u64>)> {
        let file = self.dir.join("export.jsonl");
        std::fs::write(&file, lines.concat()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_jobengine"));
        command.args(["audit", "verify", "--output", "json"]);
        command.arg(&file).arg("--key").arg(&self.key);
        if let Some(held) = held {
            command.arg("--checkpoint").arg(held);
        }
        // Offline: it knows of no server and no database.
        let output = command.env_clear().output().unwrap();
        let verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = verdict["findings"].as_array().unwrap().iter();
        let faults: Vec<_> = findings
            .map(|finding| {
                let fault = finding["fault"].as_str().unwrap().to_owned();
                (fault, finding["first"].as_u64())
            })
            .collect();
        assert_eq!(output.status.code(), Some(i32::from(!faults.is_empty())));
        assert_eq!(verdict["sound"], json!(faults.is_empty()));
        faults
    }

    fn check(&self, change: impl FnOnce(&mut Vec<String>), expected: &[(&str, u64)]) {
        let mut lines = self.lines.clone();
        change(&mut lines);
        let found = self.faults(&lines, None);
        let found: Vec<_> = found
            .iter()
            .map(|(fault, row)| (fault.as_str(), row.unwrap_or(0)))
            .collect();
        assert_eq!(found, expected);
    }

    /// The line of the row with this number.
    fn row(&self, number: u64) -> usize {
        let mark = format!("\"sequence\":{number}}}");
        let mut lines = self.lines.iter();
        lines
            .position(|line| line.trim_end().ends_with(&mark))
            .unwrap()
    }
}

fn lines(export: Vec<u8>) -> Vec<String> {
    let text = String::from_utf8(export).unwrap();
    text.split_inclusive('\n').map(str::to_owned).collect()
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_to_the_trail_is_found_offline() {
    let dir = tempfile::tempdir().unwrap();
    let (data, backup) = (dir.path().join("data"), dir.path().join("backup"));
    std::fs::create_dir(&data).unwrap();
    let dev = Dev::start(&data).await;
    dev.act(3).await;
    let size = dev.act(3).await;
    assert_eq!(size, 6);

    let export = dev.asked(&["export", "--until", "6"]);
    assert_eq!(export, dev.asked(&["export", "--until", "6"]), "repeated");
    let evidence = Evidence {
        dir: dir.path(),
        key: dev.key(),
        lines: lines(export),
    };
    let (two, three) = (evidence.row(2), evidence.row(3));
    let first_of_last = 1 + dev
        .checkpoints()
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .nth(1)
        .map_or(0, |before| before["size"].as_u64().unwrap());
    evidence.check(|_| {}, &[]);
    evidence.check(
        |lines| lines[two] = lines[two].replace("orch:submit", "orch:admin"),
        &[("edited", 2)],
    );
    evidence.check(
        |lines| lines.truncate(lines.len() - 1),
        &[("uncovered", first_of_last)],
    );
    let deleted = {
        let mut lines = evidence.lines.clone();
        lines.remove(two);
        evidence.faults(&lines, None)
    };
    assert_eq!(deleted[0].0, "removed");
    let inserted = {
        let mut lines = evidence.lines.clone();
        lines.insert(two + 1, lines[two].clone());
        evidence.faults(&lines, None)
    };
    assert_eq!(inserted, [("duplicated".to_owned(), Some(2))]);
    let reordered = {
        let mut lines = evidence.lines.clone();
        lines.swap(two, three);
        evidence.faults(&lines, None)
    };
    assert!(!reordered.is_empty());
    let stranger = Evidence {
        dir: dir.path(),
        key: data.join("keys/completion.pub.pem"),
        lines: evidence.lines.clone(),
    };
    let unknown = stranger.faults(&stranger.lines, None);
    assert!(
        unknown.iter().all(|(fault, _)| fault == "wrong-key"),
        "{unknown:?}"
    );

    // The service says the same about what it has.
    let checked: Value =
        serde_json::from_slice(&dev.asked(&["check", "--output", "json"])).unwrap();
    assert_eq!(checked["sound"], json!(true), "{checked:#}");
    let listed: Value = serde_json::from_slice(&dev.asked(&["list", "--output", "json"])).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 6);
    let id = listed[0]["auditId"].as_str().unwrap();
    let proven: Value =
        serde_json::from_slice(&dev.asked(&["get", id, "--output", "json"])).unwrap();
    assert_eq!(proven["sequence"], json!(6));
    assert!(proven["proof"]["checkpoint"].is_object());

    // Somebody takes a backup, lets the trail grow, and restores it: only what is held outside knows.
    dev.stop();
    copy(&data, &backup);
    let dev = Dev::start(&data).await;
    dev.act(2).await;
    let held = dir.path().join("held.json");
    std::fs::write(&held, dev.checkpoints().to_string()).unwrap();
    let whole = lines(dev.asked(&["export"]));
    assert_eq!(evidence.faults(&whole, Some(&held)), []);
    dev.stop();
    let dev = Dev::start(&backup).await;
    let restored = lines(dev.asked(&["export"]));
    assert_eq!(evidence.faults(&restored, None), [], "nobody could know");
    let found = evidence.faults(&restored, Some(&held));
    assert!(
        found.iter().all(|(fault, _)| fault == "rolled-back") && !found.is_empty(),
        "{found:?}"
    );
    dev.act(4).await;
    let continued = lines(dev.asked(&["export"]));
    assert_eq!(evidence.faults(&continued, None), [], "nobody could know");
    let found = evidence.faults(&continued, Some(&held));
    assert!(
        found.iter().any(|(fault, _)| fault == "forked"),
        "{found:?}"
    );
    dev.stop();
}
