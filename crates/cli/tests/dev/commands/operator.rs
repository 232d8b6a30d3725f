//! Whoever types the commands, and the worker that fails their jobs.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use jobengine_sdk::{Document, Method, Request};
use serde_json::{Value, json};

use crate::{Dev, PATIENCE};

pub(super) struct Operator {
    pub(super) dev: Dev,
    pub(super) dir: PathBuf,
    pub(super) ran: BTreeSet<(String, String)>,
}

impl Operator {
    /// Runs a command, with `body` on standard input.
    pub(super) fn run(&mut self, args: &[&str], body: &Value) -> Output {
        self.ran.insert((args[0].to_owned(), args[1].to_owned()));
        let mut child = Command::new(env!("CARGO_BIN_EXE_jobengine"))
            .args(args)
            .args(["--server", &self.dev.url, "--token-file"])
            .arg(self.dev.token())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        if !body.is_null() {
            stdin.write_all(body.to_string().as_bytes()).unwrap();
        }
        drop(stdin);
        child.wait_with_output().unwrap()
    }

    /// Runs a command that has to go well, and gives what it printed.
    pub(super) fn good(&mut self, args: &[&str], body: &Value) -> String {
        let output = self.run(args, body);
        let (out, error) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{args:?}: {error}{out}");
        assert!(!(out + &error).trim().is_empty(), "{args:?} says nothing");
        text(&output.stdout)
    }

    /// Changes something; the answer.
    pub(super) fn change(&mut self, args: &[&str], body: &Value) -> Value {
        let said = self.good(&[args, &["--output", "json"]].concat(), body);
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{args:?}: {error}: {said}"))
    }

    /// Reads something both ways: for people, and the answer for programs.
    pub(super) fn read(&mut self, args: &[&str]) -> Value {
        let said = self.good(args, &Value::Null);
        let shown = !said.contains("Nothing there.");
        let value = self.change(args, &Value::Null);
        let is_filled = value.as_array().is_none_or(|items| !items.is_empty());
        assert!(
            shown || !is_filled || value["hosts"].is_array(),
            "{args:?}: {said}"
        );
        value
    }

    /// Asks until there is something.
    pub(super) fn wait(&mut self, args: &[&str]) -> Value {
        let started = Instant::now();
        loop {
            let value = self.read(args);
            if value.as_array().is_none_or(|items| !items.is_empty()) {
                return value;
            }
            assert!(started.elapsed() < PATIENCE, "{args:?} stays empty");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    pub(super) fn file(&self, name: &str, text: &str) -> String {
        let path = self.dir.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Does what a worker does.
    pub(super) async fn work(&self, verb: &str, body: &Value) -> Value {
        let path = ["api", "v1", "orchestrator", "worker", verb];
        let request = Request::new(Method::POST, path).json(body);
        self.dev.client().request(request).await.unwrap()
    }

    /// Fails the jobs of a type, and gives the first.
    pub(super) async fn fail(&self, kind: &str) -> String {
        let session = "0190f1de-0000-7000-8000-000000000001";
        let claim = json!({"sessionId": session, "worker": "hand", "types": [kind], "max": 10, "waitMs": 5_000});
        let claimed = self.work("claim", &claim).await;
        let grants = claimed["grants"].as_array().unwrap();
        let (id, token) = (&grants[0]["jobId"], &grants[0]["leaseToken"]);
        let line = json!({"jobId": id, "leaseToken": token, "line": "hello"});
        self.work("log", &json!({"lines": [line]})).await;
        let id = id.as_str().unwrap();
        let artifact = Request::new(
            Method::PUT,
            [
                "api",
                "v1",
                "orchestrator",
                "worker",
                "artifacts",
                id,
                "out.txt",
            ],
        );
        let artifact = artifact
            .header("X-Lease-Token", token.as_str().unwrap())
            .document("text/plain", Document::bytes(b"out".to_vec()));
        let _: Value = self.dev.client().request(artifact).await.unwrap();
        let reports = grants.iter().map(|grant| {
            json!({
                "jobId": grant["jobId"], "leaseToken": grant["leaseToken"], "outcome": "failed",
                "class": "schema", "detail": "first line\nsecond line",
            })
        });
        let reports = json!({"sessionId": session, "reports": reports.collect::<Vec<_>>()});
        self.work("complete", &reports).await;
        id.to_owned()
    }
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(super) fn id(value: &Value, field: &str) -> String {
    let id = value[field].as_str();
    id.unwrap_or_else(|| panic!("no {field} in {value}"))
        .to_owned()
}
