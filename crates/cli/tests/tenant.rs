//! Tenants from the command line: the first where the database is, then over the administration listener.

#![expect(
    clippy::unwrap_used,
    reason = "a test has nothing to decide when its set-up fails"
)]

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Whatever takes longer has failed.
const PATIENCE: Duration = Duration::from_mins(1);
const INSTALLATION: &str = "00000000-0000-7000-8000-000000000000";

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn jobengine(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jobengine"));
    command.args(args).arg("--data-dir").arg(data);
    command.env_remove("DATABASE_URL").stdin(Stdio::null());
    command
}

fn said(output: Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout).unwrap()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn tenants_are_made_listed_and_suspended() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    let create = || {
        jobengine(data, &["tenant", "create", "acme"])
            .output()
            .unwrap()
    };
    let acme = said(create());
    let acme = acme.trim();
    let again = create();
    assert_eq!(again.status.code(), Some(1));
    let error = String::from_utf8(again.stderr).unwrap();
    assert!(error.contains("there is a tenant called acme"), "{error}");

    let key = said(jobengine(data, &["token", "key"]).output().unwrap());
    let mint = [
        "token",
        "mint",
        "--tenant",
        INSTALLATION,
        "--scope",
        "orch:admin",
    ];
    let token = data.join("installation.token");
    std::fs::write(&token, said(jobengine(data, &mint).output().unwrap())).unwrap();
    let admin = format!("127.0.0.1:{}", free_port());
    let serve = jobengine(data, &["serve", "--token-key", key.trim()])
        .args(["--listen", &format!("127.0.0.1:{}", free_port())])
        .args(["--admin-listen", &admin])
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(data.join("serve.log")).unwrap())
        .spawn();
    let _process = Process(serve.unwrap());

    let tenant = |args: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_jobengine"))
            .arg("tenant")
            .args(args)
            .env("JOBENGINE_ADMIN_SERVER", format!("http://{admin}"))
            .env("JOBENGINE_TOKEN_FILE", &token)
            .output()
            .unwrap()
    };
    let started = Instant::now();
    while !tenant(&["list"]).status.success() {
        assert!(started.elapsed() < PATIENCE, "it does not start");
        std::thread::sleep(Duration::from_millis(100));
    }
    let listed = said(tenant(&["list"]));
    assert!(
        listed.lines().any(|line| line.starts_with(acme)),
        "{listed}"
    );
    let unsaid = tenant(&["update", acme, "--state", "suspended"]);
    assert_eq!(unsaid.status.code(), Some(2), "it needs a reason");
    said(tenant(&[
        "update",
        acme,
        "--state",
        "suspended",
        "--reason",
        "r",
    ]));
    let read: Value =
        serde_json::from_str(&said(tenant(&["get", acme, "--output", "json"]))).unwrap();
    assert_eq!(read["state"], json!("suspended"));
}
