//! `jobengine dev` as a process, over a directory of its own.

#![expect(
    clippy::unwrap_used,
    reason = "a test has nothing to decide when its set-up fails"
)]

mod audit;
mod commands;
mod evaluator;

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jobengine_sdk::{Client, TokenSource};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Whatever takes longer has failed.
const PATIENCE: Duration = Duration::from_mins(1);

/// `jobengine dev` over a directory.
struct Dev {
    data: PathBuf,
    url: String,
    child: Child,
}

impl Dev {
    async fn start(data: &Path) -> Self {
        let port = {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            free.local_addr().unwrap().port()
        };
        let log = std::fs::File::create(data.join("dev.log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_jobengine"))
            .args(["dev", "--port", &port.to_string(), "--data-dir"])
            .arg(data)
            .env_remove("DATABASE_URL")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let dev = Self {
            data: data.to_owned(),
            url: format!("http://127.0.0.1:{port}"),
            child,
        };
        let started = Instant::now();
        while !dev.token().exists() || dev.client().ready().await.is_err() {
            assert!(started.elapsed() < PATIENCE, "dev does not start");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        dev
    }

    fn token(&self) -> PathBuf {
        self.data.join("dev.token")
    }

    fn client(&self) -> Client {
        let token = TokenSource::file(self.token());
        Client::builder(&self.url).token(token).build().unwrap()
    }

    /// As an operator would: the private PostgreSQL ends with it.
    fn stop(mut self) {
        kill(
            Pid::from_raw(self.child.id().cast_signed()),
            Signal::SIGTERM,
        )
        .unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
