//! Events as streams: whole and in order whoever follows from wherever, bounded, and ended in words.

use std::collections::BTreeSet;
use std::time::Duration;

use jobengine_domain::caller::Scope;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::service::{Person, Service, job, report};

/// A stream being read.
pub(crate) struct Stream {
    response: Response,
    text: String,
    pub(crate) comments: usize,
    pub(crate) id: String,
}

/// One server-sent event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sent {
    pub(crate) id: String,
    pub(crate) event: String,
    pub(crate) data: Value,
}

impl Stream {
    pub(crate) async fn open(person: &Person, path: &str, last: Option<&str>) -> Self {
        let mut request = person.request(Method::GET, path);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut stream = Self {
            response,
            text: String::new(),
            comments: 0,
            id: String::new(),
        };
        // The greeting: from here on nothing is missed.
        while stream.comments == 0 {
            assert!(stream.more().await);
            stream.take();
        }
        stream
    }

    /// The next event; `None` when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some(sent) = self.take() {
                return Some(sent);
            }
            if !self.more().await {
                return None;
            }
        }
    }

    pub(crate) async fn take_events(&mut self, count: usize) -> Vec<Sent> {
        let mut events = Vec::new();
        while events.len() < count {
            events.push(self.next().await.expect("the stream goes on"));
        }
        events
    }

    async fn more(&mut self) -> bool {
        let chunk = tokio::time::timeout(Duration::from_secs(20), self.response.chunk());
        let Some(bytes) = chunk.await.expect("something comes in time").unwrap() else {
            return false;
        };
        self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        true
    }

    fn take(&mut self) -> Option<Sent> {
        while let Some(end) = self.text.find("\n\n") {
            let block: String = self.text.drain(..end + 2).collect();
            let field = |name: &str| {
                block
                    .lines()
                    .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            };
            if let Some(id) = field("id") {
                id.clone_into(&mut self.id);
            }
            self.comments += block.lines().filter(|line| line.starts_with(": ")).count();
            if let Some(data) = field("data") {
                return Some(Sent {
                    id: self.id.clone(),
                    event: field("event").unwrap().to_owned(),
                    data: serde_json::from_str(data).unwrap(),
                });
            }
        }
        None
    }
}

fn ids(events: &[Sent]) -> Vec<&str> {
    events
        .iter()
        .map(|sent| sent.data["eventId"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_stream_tells_what_happens_and_goes_on_from_every_id() {
    let service = Service::start().await;
    let ours = service.ours();
    let mut stream = Stream::open(&ours, "/events/stream", None).await;
    let id = ours.submit(json!([job()])).await.remove(0);
    let grant = ours.claim(1, 0).await.remove(0);
    ours.complete(json!([report(&grant, "succeeded")]))
        .await
        .ok(200);
    let all = stream.take_events(3).await;
    let kinds: Vec<&str> = all.iter().map(|sent| sent.event.as_str()).collect();
    assert_eq!(kinds, ["job.submitted", "job.leased", "job.succeeded"]);
    for sent in &all {
        let data = &sent.data;
        assert_eq!(data["schemaVersion"], "orch.event.v1");
        assert_eq!(data["eventType"], sent.event.as_str());
        assert_eq!(data["job"]["id"], id.as_str());
        assert_eq!(data["tenantId"], crate::service::OURS.to_string());
        assert!(!data["correlationId"].as_str().unwrap().is_empty());
        assert!(
            data.get("projectId").is_some(),
            "said, also when there is none"
        );
        assert_eq!(data["notifier"]["delivery"], "stream");
    }
    assert_eq!(all[1].data["job"]["leaseId"], grant["leaseId"]);
    assert_eq!(all[2].data["job"]["leaseId"], grant["leaseId"]);
    assert_eq!(
        all[2].data["job"]["taskRunnerId"],
        crate::service::SESSION.to_string()
    );
    assert_eq!(
        all[2].data["actor"],
        json!({"subject": "ours", "scopes": ["orch:worker"]})
    );
    for (at, from) in all.iter().enumerate() {
        let left = all.len() - at - 1;
        let mut again = Stream::open(&ours, "/events/stream", Some(&from.id)).await;
        assert_eq!(again.take_events(left).await, all[at + 1..], "after {at}");
        let path = format!("/events/stream?after={}", from.id);
        let mut again = Stream::open(&ours, &path, None).await;
        assert_eq!(again.take_events(left).await, all[at + 1..]);
        let page = ours
            .get(&format!("/events?continuationToken={}", from.id))
            .await
            .ok(200);
        assert_eq!(
            page["items"].as_array().unwrap().len(),
            left,
            "a list goes on where a stream was"
        );
    }
    let mut oldest = Stream::open(&ours, "/events/stream?from=oldest", None).await;
    assert_eq!(oldest.take_events(3).await, all);
}

#[tokio::test]
async fn every_event_comes_once_and_in_order_while_many_write() {
    let service = Service::start().await;
    let ours = service.ours();
    let mut live = Stream::open(&ours, "/events/stream", None).await;
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let ours = ours.clone();
        writers.spawn(async move {
            for _ in 0..10 {
                ours.submit(json!([job(), job(), job()])).await;
                let grants = ours.claim(5, 0).await;
                let reports: Vec<Value> = grants
                    .iter()
                    .map(|grant| report(grant, "succeeded"))
                    .collect();
                if !reports.is_empty() {
                    ours.complete(json!(reports)).await.ok(200);
                }
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    let count: usize = {
        let (client, connection) = service
            .database
            .super_config()
            .connect(tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        let row = client
            .query_one("SELECT count(*) FROM orch.event", &[])
            .await
            .unwrap();
        usize::try_from(row.get::<_, i64>(0)).unwrap()
    };
    let followed = live.take_events(count).await;
    assert_eq!(
        ids(&followed).into_iter().collect::<BTreeSet<_>>().len(),
        count
    );
    let mut caught_up = Stream::open(&ours, "/events/stream?from=oldest", None).await;
    let again = caught_up.take_events(count).await;
    assert_eq!(ids(&followed), ids(&again), "one order for all");
}

#[tokio::test]
async fn filters_choose_and_a_run_or_job_has_its_own_stream() {
    let service = Service::start().await;
    let ours = service.ours();
    ours.submit(json!([job()])).await;
    let run = json!({"jobs": [{"key": "a", "type": "r", "payload": 1}, {"key": "b", "type": "r", "payload": 2}]});
    let run = ours.post("/runs", &run).await.ok(201);
    let (run_id, job_id) = (
        run["runId"].as_str().unwrap(),
        run["jobs"][0]["jobId"].as_str().unwrap(),
    );
    let mut of_run = Stream::open(&ours, &format!("/runs/{run_id}/events/stream"), None).await;
    let mut of_job = Stream::open(&ours, &format!("/jobs/{job_id}/events/stream"), None).await;
    let ended =
        format!("/events/stream?from=oldest&runId={run_id}&types=run.finished,job.canceled");
    let mut chosen = Stream::open(&ours, &ended, None).await;
    ours.post(&format!("/runs/{run_id}:cancel"), &json!({}))
        .await
        .ok(200);
    let kinds = |events: Vec<Sent>| {
        events
            .into_iter()
            .map(|sent| sent.event)
            .collect::<Vec<_>>()
    };
    let all = of_run.take_events(6).await;
    assert!(all.iter().all(|sent| sent.data["job"]["runId"] == run_id));
    let all = kinds(all);
    assert_eq!(all[0], "run.created");
    assert_eq!(all[5], "run.finished");
    assert_eq!(
        kinds(of_job.take_events(2).await),
        ["job.submitted", "job.canceled"]
    );
    assert_eq!(
        kinds(chosen.take_events(3).await),
        ["job.canceled", "job.canceled", "run.finished"]
    );
    for (path, status, code) in [
        ("/events/stream?types=job.lost", 400, "PARAMETER_INVALID"),
        ("/events/stream?after=x", 400, "PAGE_TOKEN_INVALID"),
        ("/events/stream?color=red", 400, "PARAMETER_INVALID"),
        (
            "/runs/0190f1de-0000-7000-8000-000000000001/events/stream",
            404,
            "NOT_FOUND",
        ),
        (
            "/jobs/0190f1de-0000-7000-8000-000000000001/events/stream",
            404,
            "NOT_FOUND",
        ),
    ] {
        assert_eq!(ours.get(path).await.problem(), (status, code), "{path}");
    }
}

#[tokio::test]
async fn a_tenant_follows_its_own_events_with_its_own_cursors() {
    let service = Service::start().await;
    let (ours, others) = (service.ours(), service.others());
    let mut stream = Stream::open(&others, "/events/stream", None).await;
    let mut own = Stream::open(&ours, "/events/stream", None).await;
    ours.submit(json!([job(), job()])).await;
    let cursor = own.next().await.unwrap().id;
    let theirs = others.submit(json!([job()])).await.remove(0);
    let first = stream.next().await.unwrap();
    assert_eq!(first.data["job"]["id"], theirs.as_str(), "not ours");
    let refused = others.get(&format!("/events/stream?after={cursor}")).await;
    assert_eq!(refused.problem(), (400, "PAGE_TOKEN_INVALID"));
    let submitter = service.acting("s", crate::service::OURS, &[Scope::Submit]);
    let refused = submitter.get("/events/stream").await;
    assert_eq!(refused.problem(), (403, "SCOPE_MISSING"));
}

/// A connection that asks for a stream and takes next to nothing of it.
async fn lazy(service: &Service, person: &Person, path: &str) -> TcpStream {
    let request = person.request(Method::GET, path).build().unwrap();
    let address = service.url.strip_prefix("http://").unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(256 * 1024).unwrap();
    let mut stream = socket.connect(address.parse().unwrap()).await.unwrap();
    let head = format!(
        "GET {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: {}\r\n\r\n",
        request.url().path(),
        request.headers()["authorization"].to_str().unwrap()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    stream
}

/// The body of an answer in chunks (RFC 9112, section 7.1), whose status line was read already.
fn unchunked(answer: &[u8]) -> String {
    let find = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).position(|at| at == what);
    let head = find(answer, b"\r\n\r\n").unwrap();
    let (mut rest, mut body) = (&answer[head + 4..], Vec::new());
    loop {
        let line = find(rest, b"\r\n").unwrap();
        let size = std::str::from_utf8(&rest[..line]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return String::from_utf8(body).unwrap();
        }
        body.extend_from_slice(&rest[line + 2..][..size]);
        rest = &rest[line + 2 + size + 2..];
    }
}

/// The events of a stream that has ended.
fn sent(body: &str) -> Vec<Sent> {
    let field = |block: &str, name: &str| {
        let mut lines = block.lines();
        lines.find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned()))
    };
    let event = |block: &str| {
        Some(Sent {
            id: field(block, "id")?,
            event: field(block, "event")?,
            data: serde_json::from_str(&field(block, "data")?).unwrap(),
        })
    };
    body.split("\n\n").filter_map(event).collect()
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_cut_off_and_goes_on_from_its_cursor() {
    let service =
        Service::start_with(|config| config.stream_stall = Duration::from_millis(300)).await;
    let ours = service.ours();
    let mut lazy = lazy(&service, &ours, "/events/stream").await;
    // More than the systems' own buffers hold.
    let batch = json!(vec![job(); 1_000]);
    let mut written = 0;
    for _ in 0..8 {
        written += ours.submit(batch.clone()).await.len();
    }
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let mut answer = Vec::new();
    lazy.read_to_end(&mut answer).await.unwrap();
    let mut events = sent(&unchunked(&answer));
    let end = events.pop().unwrap();
    assert_eq!(end.event, "end");
    assert_eq!(end.data["reason"], "slow");
    let mut read: BTreeSet<String> = events
        .iter()
        .map(|sent| sent.data["eventId"].to_string())
        .collect();
    assert!(
        !read.is_empty() && read.len() < written,
        "{} of {written}",
        read.len()
    );
    let cut_off = service.sample("jobengine_streams_ended_total{reason=\"slow\"}");
    assert_eq!(cut_off, 1);
    let cursor = end.data["cursor"].as_str().unwrap();
    assert_eq!(cursor, end.id);
    let mut again = Stream::open(&ours, "/events/stream", Some(cursor)).await;
    for sent in again.take_events(written - read.len()).await {
        assert!(read.insert(sent.data["eventId"].to_string()), "twice");
    }
    assert_eq!(read.len(), written, "nothing is missing");
}

#[tokio::test]
async fn streams_end_at_once_when_the_service_stops() {
    let service = Service::start().await;
    let ours = service.ours();
    let mut stream = Stream::open(&ours, "/events/stream", None).await;
    ours.submit(json!([job()])).await;
    let last = stream.next().await.unwrap();
    service.shutdown.cancel();
    let end = stream.next().await.unwrap();
    assert_eq!(
        (end.event.as_str(), &end.data["reason"]),
        ("end", &json!("shutdown"))
    );
    assert!(!end.id.is_empty() && !last.id.is_empty());
    assert_eq!(stream.next().await, None);
    let stopped = tokio::time::timeout(Duration::from_secs(2), service.running);
    stopped.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_cursor_beyond_what_is_kept_has_expired() {
    let service = Service::start().await;
    let ours = service.ours();
    let mut stream = Stream::open(&ours, "/events/stream", None).await;
    let before = stream.id.clone();
    ours.submit(json!([job(), job()])).await;
    let first = stream.next().await.unwrap();
    let second = stream.next().await.unwrap();
    let tenant = crate::service::OURS;
    service
        .sql(&format!(
            "WITH gone AS (DELETE FROM orch.event WHERE tenant_id = '{tenant}' RETURNING txid, event_id)
             INSERT INTO orch.event_trim SELECT '{tenant}', txid, event_id, now() FROM gone ORDER BY 2 DESC, 3 DESC LIMIT 1"
        ))
        .await;
    for cursor in [&before, &first.id] {
        let refused = ours.get(&format!("/events/stream?after={cursor}")).await;
        assert_eq!(refused.problem(), (410, "EVENT_CURSOR_EXPIRED"));
        let refused = ours
            .get(&format!("/events?continuationToken={cursor}"))
            .await;
        assert_eq!(refused.problem(), (410, "EVENT_CURSOR_EXPIRED"));
    }
    let mut whole = Stream::open(&ours, "/events/stream", Some(&second.id)).await;
    ours.submit(json!([job()])).await;
    assert_eq!(whole.next().await.unwrap().event, "job.submitted");
    assert_eq!(
        ours.get("/events").await.ok(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn places_are_bounded_and_given_back() {
    let service = Service::start().await;
    let ours = service.ours();
    let mut open = Vec::new();
    for _ in 0..50 {
        open.push(Stream::open(&ours, "/events/stream", None).await);
    }
    let refused = ours
        .request(Method::GET, "/events/stream")
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], "5");
    Stream::open(&service.others(), "/events/stream", None).await;
    assert!(service.sample("jobengine_streams{kind=\"sse\"}") >= 50);
    drop(open);
    let mut tries = 0;
    while service.sample("jobengine_streams{kind=\"sse\"}") > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        tries += 1;
        assert!(tries < 100, "a reader that went away keeps its place");
    }
    Stream::open(&ours, "/events/stream", None).await;
}

#[tokio::test]
async fn events_of_another_replica_come_within_a_quarter_of_a_second() {
    let [one, two] = Service::replicas().await;
    let (reader, writer) = (one.ours(), two.ours());
    let mut stream = Stream::open(&reader, "/events/stream", None).await;
    let mut times = Vec::new();
    for _ in 0..20 {
        writer.submit(json!([job()])).await;
        let committed = std::time::Instant::now();
        stream.next().await.unwrap();
        times.push(committed.elapsed());
    }
    times.sort();
    // Other tests share the machine and the horizon: half of them is held to the promise here.
    assert!(times[10] < Duration::from_millis(250), "{times:?}");
}

#[tokio::test]
async fn the_first_signal_of_a_run_comes_once_and_keeps_its_tag() {
    let service = Service::start().await;
    let ours = service.ours();
    let run = json!({"jobs": [{"key": "a", "type": "t", "payload": 1}, {"key": "b", "type": "t", "payload": 2}]});
    let run = ours.post("/runs", &run).await.ok(201);
    let path = format!("/runs/{}/first-signal", run["runId"].as_str().unwrap());
    let ask = async |tag: Option<&str>, query: &str| {
        let mut request = ours.request(Method::GET, &format!("{path}{query}"));
        if let Some(tag) = tag {
            request = request.header("if-none-match", tag);
        }
        request.send().await.unwrap()
    };
    assert_eq!(ask(None, "").await.status(), 204);
    let waiting = ask(None, "?waitMs=20000");
    let claiming = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        ours.claim(1, 0).await.remove(0)
    };
    let (signal, grant) = tokio::join!(waiting, claiming);
    assert_eq!(signal.status(), 200);
    let tag = signal.headers()["etag"].to_str().unwrap().to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    let signal: Value = signal.json().await.unwrap();
    assert_eq!(signal["state"], "leased");
    assert_eq!(signal["jobId"], grant["jobId"]);
    ours.complete(json!([report(&grant, "succeeded")]))
        .await
        .ok(200);
    assert_eq!(ask(Some(&tag), "").await.status(), 304);
    assert_eq!(ask(Some("\"other\""), "").await.status(), 200);
    let none = "/runs/0190f1de-0000-7000-8000-000000000001/first-signal";
    assert_eq!(ours.get(none).await.problem(), (404, "NOT_FOUND"));
    let called_off = json!({"jobs": [{"key": "a", "type": "never", "payload": 1}]});
    let called_off = ours.post("/runs", &called_off).await.ok(201);
    let id = called_off["runId"].as_str().unwrap();
    ours.post(&format!("/runs/{id}:cancel"), &json!({}))
        .await
        .ok(200);
    let signal = ours.get(&format!("/runs/{id}/first-signal")).await.ok(200);
    assert_eq!(signal["state"], "canceled");
}
