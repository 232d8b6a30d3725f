//! `cargo x contract`: a real server with something in it, held against its own contract.
//!
//! Schemathesis makes requests out of the document that the server serves: good ones, bad ones, and
//! sequences along its links. Whatever the document does not promise is a failure: another status,
//! another media type, a body of another shape, good data refused, bad data taken. No operation is left
//! out but those named in `xtask/contract/schemathesis.toml`, each with its reason.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::metadata::Metadata;
use crate::process::{self, root};
use crate::{generated, setup};

/// The server has so long to make its database and answer.
const START_MAX: Duration = Duration::from_mins(2);
/// And so long to end when it is told to.
const STOP_MAX: Duration = Duration::from_secs(30);
/// So much of its log is shown when something is wrong.
const LOG_LINES: usize = 40;
/// What the tools read, below the root.
const SOURCES: &str = "xtask/contract";

/// Starts a server, fills it, and asks it everything.
///
/// # Errors
/// The document is not OpenAPI, or the server answers other than it says.
pub(crate) fn run() -> Result<()> {
    let tools = setup::python::tools()?;
    let binary = generated::binary()?;
    let folder = Metadata::load()?.target_directory.join("contract/run");
    prepare(&folder)?;
    let server = Server::start(&binary, &folder)?;
    let token = server.token()?;
    let tool = |name: &str| {
        let mut command = Command::new(tools.join(name));
        command
            .current_dir(&folder)
            .env("JOBENGINE_TOKEN", &token)
            .env("SCHEMATHESIS_HOOKS", folder.join("hooks.py"))
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command
    };
    let document = root().join("openapi/orchestrator.json");
    process::run(tool("openapi-spec-validator").arg(&document))?;
    let contract = format!("{}/openapi/orchestrator.json", server.url);
    let asked = process::run(tool("python").args(["seed.py", &server.url, "."])).and_then(|()| {
        process::run(
            tool("schemathesis")
                .args(["--config-file", "schemathesis.toml", "run"])
                .arg(&contract),
        )
    });
    match asked {
        Ok(()) => server.stop(),
        Err(error) => Err(error.context(server.account())),
    }
}

/// An empty folder with what the tools read.
fn prepare(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("could not clear {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("could not create {}", folder.display()))?;
    for name in ["schemathesis.toml", "hooks.py", "seed.py"] {
        fs::copy(root().join(SOURCES).join(name), folder.join(name))
            .with_context(|| format!("could not copy {SOURCES}/{name}"))?;
    }
    Ok(())
}

/// The development server, which ends with us.
struct Server {
    child: Child,
    url: String,
    /// Its data: outside of the target folder, because PostgreSQL started by root runs as somebody
    /// who may not enter every home.
    data: PathBuf,
    log: PathBuf,
}

impl Server {
    fn start(binary: &Path, folder: &Path) -> Result<Self> {
        let data = std::env::temp_dir().join(format!("jobengine-contract-{}", std::process::id()));
        let port = free_port()?;
        let log = folder.join("server.log");
        let output = File::create(&log).context("could not create the server's log")?;
        let child = Command::new(binary)
            .args(["dev", "--port", &port.to_string(), "--data-dir"])
            .arg(&data)
            .env_remove("DATABASE_URL")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("could not start `jobengine dev`")?;
        let url = format!("http://127.0.0.1:{port}");
        let mut server = Self {
            child,
            url,
            data,
            log,
        };
        server.wait()?;
        Ok(server)
    }

    /// Until it has written its token, which it does when the API listens.
    fn wait(&mut self) -> Result<()> {
        let started = Instant::now();
        while self.token().is_err() {
            let ended = self.child.try_wait()?;
            if ended.is_some() || started.elapsed() > START_MAX {
                bail!(
                    "the server does not come up:\n{}",
                    fs::read_to_string(&self.log).unwrap_or_default()
                );
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    fn token(&self) -> Result<String> {
        let token = fs::read_to_string(self.data.join("dev.token"))?;
        let token = token.trim();
        if token.is_empty() {
            bail!("the token is not written yet");
        }
        Ok(token.to_owned())
    }

    /// How it stands and what it logged last: what somebody needs who sees only this output.
    fn account(mut self) -> String {
        let state = match self.child.try_wait() {
            Ok(None) => "still runs".to_owned(),
            Ok(Some(status)) => format!("ended with {status}"),
            Err(error) => format!("cannot be looked at: {error}"),
        };
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().collect();
        let last = &lines[lines.len().saturating_sub(LOG_LINES)..];
        format!(
            "the server {state}; its log ends with\n{}\n",
            last.join("\n")
        )
    }

    /// Asks it to end, and looks how it did.
    fn stop(mut self) -> Result<()> {
        process::run(Command::new("kill").arg(self.child.id().to_string()))?;
        let asked = Instant::now();
        loop {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("the server ended with {status}; see {}", self.log.display()),
                None if asked.elapsed() > STOP_MAX => bail!("the server does not end"),
                None => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.data);
    }
}

/// A port that nobody listens on right now.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    Ok(listener.local_addr()?.port())
}
