//! Worker processes: the same binary, started as anyone would start it.

use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

use crate::temporary_node::TemporaryNode;

/// A worker that is told to stop gets so long.
const STOP: Duration = Duration::from_secs(15);

/// A running worker process.
pub(super) struct WorkerProcess {
    name: &'static str,
    child: Child,
}

impl WorkerProcess {
    /// Starts `jobengine worker` against the node.
    pub(super) fn start(
        node: &TemporaryNode,
        name: &'static str,
        images_per_second: Option<u32>,
    ) -> anyhow::Result<Self> {
        let mut command =
            Command::new(std::env::current_exe().context("this program has no path")?);
        command.args([
            "worker",
            "--server",
            &node.url(),
            "--name",
            name,
            "--concurrency",
            "1",
            "--end-with-stdin",
        ]);
        command.arg("--token-file").arg(node.worker_token());
        if let Some(rate) = images_per_second {
            command.args(["--images-per-second", &rate.to_string()]);
        }
        let log = std::fs::File::create(node.log(name))?;
        command
            // Held open, never written to: the worker ends with this process, even by SIGKILL.
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name, child })
    }

    /// Kills it as a crash would, and tells its process id.
    pub(super) fn kill(mut self) -> anyhow::Result<u32> {
        let pid = self
            .child
            .id()
            .with_context(|| format!("{} ended by itself", self.name))?;
        self.child.start_kill()?;
        Ok(pid)
    }

    /// Lets it finish what it holds.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        if let Some(pid) = self.child.id() {
            kill(Pid::from_raw(i32::try_from(pid)?), Signal::SIGTERM)?;
        }
        tokio::time::timeout(STOP, self.child.wait())
            .await
            .with_context(|| format!("{} does not stop", self.name))??;
        Ok(())
    }
}
