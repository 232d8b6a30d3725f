//! `jobengine doctor` looks, and leaves everything as it was.

#![expect(
    clippy::unwrap_used,
    reason = "a test has nothing to decide when its set-up fails"
)]

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;

use serde_json::Value;

fn jobengine(home: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jobengine"));
    command.args(args).stdin(Stdio::null());
    command.env("HOME", home).env_remove("XDG_DATA_HOME");
    command.env_remove("DATABASE_URL");
    command.output().unwrap()
}

/// What `doctor` says of the directory: by check, whether it is well and why.
fn doctor(data: &Path) -> BTreeMap<String, (bool, String)> {
    let dir = data.to_str().unwrap();
    let args = ["doctor", "--output", "json", "--data-dir", dir];
    let output = jobengine(data, &args);
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let found: BTreeMap<_, _> = findings
        .iter()
        .map(|finding| {
            let text = |name: &str| finding[name].as_str().unwrap().to_owned();
            (text("check"), (finding["ok"] == true, text("detail")))
        })
        .collect();
    assert_eq!(found.len(), 4, "{found:?}");
    let healthy = found.values().all(|(ok, _)| *ok);
    assert_eq!(output.status.success(), healthy, "{found:?}");
    found
}

/// Every path below, with its size and when it was changed.
fn tree(dir: &Path) -> BTreeMap<PathBuf, (u64, SystemTime)> {
    let mut found = BTreeMap::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap().flatten() {
            let meta = entry.metadata().unwrap();
            found.insert(entry.path(), (meta.len(), meta.modified().unwrap()));
            if meta.is_dir() {
                dirs.push(entry.path());
            }
        }
    }
    found
}

#[test]
fn where_nothing_is_nothing_is_made() {
    let home = tempfile::tempdir().unwrap();
    let found = doctor(&home.path().join("deep/data"));
    assert!(found.values().all(|(ok, _)| *ok), "{found:?}");
    assert!(
        found["data directory"]
            .1
            .contains("the first start makes it")
    );
    assert!(found["private database"].1.contains("none yet"));
    assert_eq!(tree(home.path()).len(), 0);
    // Neither do commands that only ask a server.
    let output = jobengine(
        home.path(),
        &["job", "list", "--server", "http://127.0.0.1:9"],
    );
    assert!(!output.status.success());
    assert_eq!(tree(home.path()).len(), 0);
}

#[test]
fn an_installation_is_looked_at_and_stays_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    std::fs::set_permissions(home.path(), Permissions::from_mode(0o755)).unwrap();
    let data = home.path().join("data");
    let dir = data.to_str().unwrap();
    let migrated = jobengine(home.path(), &["migrate", "--data-dir", dir]);
    assert!(migrated.status.success(), "{migrated:?}");
    let before = tree(&data);
    assert!(before.len() > 100);
    let found = doctor(&data);
    assert!(found.values().all(|(ok, _)| *ok), "{found:?}");
    assert!(
        found["private database"].1.starts_with("stopped"),
        "{found:?}"
    );
    assert_eq!(tree(&data), before);

    // What a start would refuse is told: data of a version that is not installed.
    let versions = before.keys().filter(|path| path.ends_with("PG_VERSION"));
    let top = versions.min_by_key(|path| path.components().count());
    std::fs::write(top.unwrap(), "9\n").unwrap();
    let (ok, detail) = doctor(&data)["private database"].clone();
    assert!(!ok && detail.contains('9'), "{detail}");
}
