//! A control plane over a PostgreSQL that is not its own.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A control plane over a PostgreSQL that is not its own.
pub(super) struct Plane {
    child: Child,
    pub(super) url: String,
}

impl Plane {
    pub(super) fn start(place: &Place, port: u16, drain_seconds: &str) -> Self {
        let log = std::fs::File::create(place.data.join("serve.log")).unwrap();
        let child = place
            .command(&[
                "serve",
                "--roles",
                "api,duties",
                "--drain-seconds",
                drain_seconds,
            ])
            .args(["--token-key", &place.told(&["token", "key"])])
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(["--admin-listen", "127.0.0.1:0"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let url = format!("http://127.0.0.1:{port}");
        Self { child, url }
    }

    /// Asks it to stop, as an operator does; it does so in good order.
    pub(super) fn stop(mut self) {
        kill(
            Pid::from_raw(self.child.id().cast_signed()),
            Signal::SIGTERM,
        )
        .unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Plane {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where its files and its database are.
pub(super) struct Place {
    pub(super) data: PathBuf,
    pub(super) app: String,
    pub(super) admin: String,
}

impl Place {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jobengine"));
        command
            .args(args)
            .arg("--data-dir")
            .arg(&self.data)
            .env("DATABASE_URL", &self.app)
            .env("DATABASE_ADMIN_URL", &self.admin)
            .env_remove("DATABASE_SCHED_URL")
            .stdin(Stdio::null());
        command
    }

    pub(super) fn told(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {complaint}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// A port that nobody listens on right now.
pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
