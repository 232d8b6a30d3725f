//! A real process is scraped after real work, and the scrape is held against the catalogue.

#![expect(
    clippy::unwrap_used,
    reason = "a test has nothing to decide when its set-up fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jobengine_domain::metric::{self, Kind, Metric, Unit, Values};

/// Whatever takes longer has failed.
const PATIENCE: Duration = Duration::from_mins(1);

struct Process(Child);

impl Process {
    fn serve(data: &Path, roles: &str, port: u16, admin: u16) -> Self {
        let log = std::fs::File::create(data.join("serve.log")).unwrap();
        let key = Command::new(env!("CARGO_BIN_EXE_jobengine"))
            .args(["token", "key", "--data-dir"])
            .arg(data)
            .output()
            .unwrap();
        let key = String::from_utf8(key.stdout).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_jobengine"));
        command.args(["serve", "--roles", roles]);
        if roles.contains("api") {
            command.args(["--token-key", key.trim()]);
        }
        let child = command
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(["--admin-listen", &format!("127.0.0.1:{admin}")])
            .arg("--data-dir")
            .arg(data)
            .env_remove("DATABASE_URL")
            .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// The body of an answer with status 200; `None` for any other, or none.
fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 200").then(|| body.to_owned())
}

fn until(mut ready: impl FnMut() -> Option<String>) -> String {
    let started = Instant::now();
    loop {
        if let Some(found) = ready() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "not ready for long");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// One metric as a scrape shows it.
#[derive(Debug, Default)]
struct Shown {
    kind: String,
    help: String,
    unit: String,
    /// The label names of each sample, `le` left out.
    labels: BTreeSet<Vec<String>>,
    samples: usize,
}

fn read(text: &str) -> BTreeMap<String, Shown> {
    let mut shown: BTreeMap<String, Shown> = BTreeMap::new();
    for line in text.lines() {
        if let Some(meta) = line.strip_prefix("# ") {
            let mut words = meta.splitn(3, ' ');
            let (what, name, said) = (words.next().unwrap(), words.next(), words.next());
            let (Some(name), Some(said)) = (name, said) else {
                assert_eq!(what, "EOF", "{line}");
                continue;
            };
            let metric = shown.entry(name.to_owned()).or_default();
            match what {
                "HELP" => said.clone_into(&mut metric.help),
                "TYPE" => said.clone_into(&mut metric.kind),
                "UNIT" => said.clone_into(&mut metric.unit),
                _ => panic!("{line}"),
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let family = ["_total", "_bucket", "_count", "_sum"]
            .iter()
            .find_map(|end| {
                name.strip_suffix(end)
                    .filter(|name| shown.contains_key(*name))
            });
        let metric = shown.get_mut(family.unwrap_or(name));
        let metric = metric.unwrap_or_else(|| panic!("{line} has no type and no help"));
        metric.samples += 1;
        let labels = labels.trim_end_matches('}').split("\",");
        let names = labels.filter_map(|label| Some(label.split_once('=')?.0.to_owned()));
        metric
            .labels
            .insert(names.filter(|name| name != "le").collect());
    }
    shown
}

fn check(row: &Metric, shown: &BTreeMap<String, Shown>) {
    let name = match row.kind {
        Kind::Counter => row.name.strip_suffix("_total").unwrap(),
        Kind::Gauge(_) | Kind::Histogram { .. } => row.name,
    };
    let Some(metric) = shown.get(name) else {
        panic!("{name} is in the catalogue, and nobody records it");
    };
    assert_eq!(metric.kind, row.kind.as_str(), "{name}");
    assert_eq!(metric.help, format!("{}.", row.help), "{name}");
    let unit = match row.kind.unit() {
        Unit::Seconds => "seconds",
        Unit::Count => "",
    };
    assert_eq!(metric.unit, unit, "{name}");
    let names: Vec<String> = row
        .labels
        .iter()
        .map(|label| label.name.to_owned())
        .collect();
    for labels in &metric.labels {
        assert_eq!(*labels, names, "{name}");
    }
    let closed = row
        .labels
        .iter()
        .all(|label| matches!(label.values, Values::Closed(_)));
    assert!(!closed || metric.samples > 0, "{name} shows nothing");
}

#[test]
fn a_process_shows_what_the_catalogue_says_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let (port, admin) = (free_port(), free_port());
    let _process = Process::serve(dir.path(), "api,duties", port, admin);
    until(|| get(admin, "/readyz"));
    // The work of the background passes, and of a request that is refused.
    assert_eq!(get(port, "/api/v1/orchestrator/jobs"), None);
    let text = until(|| {
        let worked = r#"jobengine_duty_passes_total{duty="gauges",result="done"}"#;
        get(admin, "/metrics").filter(|text| text.contains(worked))
    });
    let shown = read(&text);
    for row in metric::all() {
        check(row, &shown);
    }
    assert_eq!(shown.len(), metric::all().count(), "{:?}", shown.keys());
    for line in [
        r#"jobengine_http_auth_failures_total{reason="unauthenticated"} 1"#,
        r#"jobengine_http_requests_total{operation="job_list",status="401"} 1"#,
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[test]
fn a_process_without_the_contract_can_be_looked_at_too() {
    let dir = tempfile::tempdir().unwrap();
    let (port, admin) = (free_port(), free_port());
    let _process = Process::serve(dir.path(), "duties", port, admin);
    until(|| get(admin, "/readyz"));
    until(|| get(admin, "/healthz"));
    let text = until(|| {
        let worked = r#"jobengine_duty_passes_total{duty="gauges",result="done"}"#;
        get(admin, "/metrics").filter(|text| text.contains(worked))
    });
    for line in [
        r#"jobengine_jobs{state="held"} 0"#,
        r#"jobengine_webhooks{state="active"} 0"#,
        "jobengine_workers 0",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    // Nobody was named whose word could be believed; and the contract is not served.
    assert_eq!(get(admin, "/log-level"), None);
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
}
