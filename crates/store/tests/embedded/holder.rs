//! A second process of ours that holds a cluster, to be killed or to be in the way.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use jobengine_store::embedded::{Cluster, Options};

use super::support::until;

const HOLD_VARIABLE: &str = "JOBENGINE_TEST_HOLD_CLUSTER";

/// A child that goes when its test ends, also when that fails.
pub(crate) struct Mortal(pub(crate) Child);

impl Mortal {
    /// SIGKILL, and waits for it.
    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

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
pub(crate) fn spawn_holder(data_dir: &Path) -> (Mortal, i32) {
    let held = data_dir.join("held");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "holder::holder"])
        .env(HOLD_VARIABLE, data_dir);
    let mut holder = Mortal(command.stdout(Stdio::null()).spawn().unwrap());
    until("the holder's start", || {
        assert_eq!(holder.0.try_wait().unwrap(), None, "the holder ended");
        held.exists()
    });
    let pid = std::fs::read_to_string(&held).unwrap().parse().unwrap();
    std::fs::remove_file(held).unwrap();
    (holder, pid)
}
