//! A second process of ours that holds a cluster, to be killed or to be in the way.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use jobengine_store::embedded::{Cluster, Options};

use super::support::until;

const HOLD_VARIABLE: &str = "JOBENGINE_TEST_HOLD_CLUSTER";

/// Not a test of its own: run by others as the process that is killed.
#[tokio::test]
async fn holder() {
    let Some(data_dir) = std::env::var_os(HOLD_VARIABLE).map(PathBuf::from) else {
        return;
    };
    let mut options = Options::new(&data_dir);
    options.fsync = false;
    let server = Cluster::start(&options).await.unwrap();
    let unfinished = data_dir.join("held.unfinished");
    std::fs::write(&unfinished, server.pid().to_string()).unwrap();
    std::fs::rename(unfinished, data_dir.join("held")).unwrap();
    std::future::pending::<()>().await;
}

/// Starts a process of ours that holds a cluster; gives it and the postmaster's id.
pub(crate) fn spawn_holder(data_dir: &Path) -> (Child, i32) {
    let held = data_dir.join("held");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "holder::holder"])
        .env(HOLD_VARIABLE, data_dir)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    until("the holder's start", || {
        assert_eq!(child.try_wait().unwrap(), None, "the holder ended");
        held.exists()
    });
    let pid = std::fs::read_to_string(&held).unwrap().parse().unwrap();
    std::fs::remove_file(held).unwrap();
    (child, pid)
}
