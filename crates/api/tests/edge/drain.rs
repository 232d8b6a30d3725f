//! A graceful stop under load: every call meets an answer, or the clean end of a connection at rest.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use jobengine_domain::time::Timestamp;
use jobengine_queue::Local;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::caller::{Caller, Ends};
use crate::raw::{connect, status, token};
use crate::service::Service;

/// Stops, each under load.
const STOPS: usize = 12;
/// How long a stop goes on answering: every other one does not.
const DRAINS: [Duration; 2] = [Duration::from_millis(150), Duration::ZERO];
/// The last connection has ended so long after the drain.
const STOPPED_WITHIN: Duration = Duration::from_secs(3);
const SUBMITTERS: usize = 8;
const WORKERS: usize = 16;
const WAITING: usize = 8;

/// What one client does until the server is gone.
type Story = Result<(), String>;

async fn submit(mut caller: Caller) -> Story {
    let jobs = json!({"jobs": [{"type": "drain", "payload": 1}]});
    while let Some(reply) = caller.post("/jobs", &jobs).await? {
        expect(201, reply.status, &reply.body)?;
        rest().await;
    }
    Ok(())
}

/// Claims, and reports what it was granted.
async fn work(mut caller: Caller) -> Story {
    let session = fresh_session();
    let claim = json!({"sessionId": session, "worker": "w", "types": ["drain"], "max": 2});
    while let Some(claimed) = caller.post("/worker/claim", &claim).await? {
        expect(200, claimed.status, &claimed.body)?;
        let report = |grant: &Value| json!({"jobId": grant["jobId"], "leaseToken": grant["leaseToken"], "outcome": "succeeded"});
        let grants = claimed.body["grants"].as_array().unwrap();
        if !grants.is_empty() {
            let reports: Vec<Value> = grants.iter().map(report).collect();
            let reports = json!({"sessionId": session, "reports": reports});
            let Some(reply) = caller.post("/worker/complete", &reports).await? else {
                return Ok(());
            };
            expect(200, reply.status, &reply.body)?;
        }
        rest().await;
    }
    Ok(())
}

/// Waits for what never comes.
async fn wait(mut caller: Caller) -> Story {
    let claim = json!({"sessionId": fresh_session(), "worker": "w", "types": ["none"], "max": 1, "waitMs": 20_000});
    while let Some(reply) = caller.post("/worker/claim", &claim).await? {
        expect(200, reply.status, &reply.body)?;
    }
    Ok(())
}

fn expect(status: u16, found: u16, body: &Value) -> Story {
    let sound = found == status;
    sound
        .then_some(())
        .ok_or_else(|| format!("{found} {body:#}"))
}

/// A worker process of its own.
fn fresh_session() -> Uuid {
    jobengine_store::draw(Timestamp::from_micros(0))
}

async fn rest() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_under_load_breaks_no_call() {
    let first = Service::start().await;
    let mut broken = Vec::new();
    let ends = Arc::new(Ends::default());
    for stop in 0..STOPS {
        let database = Arc::clone(&first.database);
        let drain = DRAINS[stop % 2];
        let service = Service::over(database, Arc::new(Local::new()), drain).await;
        let server = service.url.trim_start_matches("http://").parse().unwrap();
        let token = token(&service);
        let caller = || Caller::new(server, &token, &ends);
        let mut clients = JoinSet::new();
        for _ in 0..SUBMITTERS {
            clients.spawn(submit(caller()));
        }
        for _ in 0..WORKERS {
            clients.spawn(work(caller()));
        }
        for _ in 0..WAITING {
            clients.spawn(wait(caller()));
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        let stopped = Instant::now();
        service.shutdown.cancel();
        service.running.await.unwrap();
        let took = stopped.elapsed();
        assert!(took < drain + STOPPED_WITHIN, "stop {stop} took {took:?}");
        while let Some(story) = clients.join_next().await {
            broken.extend(
                story
                    .unwrap()
                    .err()
                    .map(|how| format!("stop {stop}: {how}")),
            );
        }
    }
    let (answered, unread) = (&ends.answered, &ends.unread);
    println!(
        "{STOPS} stops: {} calls answered, {} met the end of a connection at rest",
        answered.load(Ordering::Relaxed),
        unread.load(Ordering::Relaxed)
    );
    assert!(
        broken.is_empty(),
        "{} calls broke:\n{}",
        broken.len(),
        broken.join("\n")
    );
    assert!(answered.load(Ordering::Relaxed) > 100, "no load");
}

/// A request that is on its way for as long as its client likes.
async fn begin(service: &Service, path: &str, headers: &str) -> TcpStream {
    let mut stream = connect(service).await;
    let head = format!(
        "POST /api/v1/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         Idempotency-Key: under-way\r\n{headers}\r\n",
        token(service)
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn a_stream_of_jobs_ends_with_a_word_when_the_service_stops() {
    let service = Service::start().await;
    let headers = "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n";
    let stream = begin(&service, "orchestrator/jobs/stream", headers).await;
    let (mut reading, mut writing) = stream.into_split();
    let sending = tokio::spawn(async move {
        let job = "{\"type\":\"drain\",\"payload\":1}\n";
        let chunk = format!("{:x}\r\n{job}\r\n", job.len());
        // What the service does not read any more is taken without a complaint.
        while writing.write_all(chunk.as_bytes()).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    let mut answer = String::new();
    let mut some = vec![0; 64 * 1024];
    let stopped = Instant::now();
    service.shutdown.cancel();
    loop {
        let read = reading.read(&mut some).await.expect("no broken connection");
        if read == 0 {
            break;
        }
        answer.push_str(&String::from_utf8_lossy(&some[..read]));
        // Told that the answer is over, the client stops.
        if answer.ends_with("0\r\n\r\n") {
            sending.abort();
        }
    }
    assert!(answer.contains("\"code\":\"OVERLOADED\""), "{answer}");
    assert!(answer.ends_with("0\r\n\r\n"), "whole: {answer}");
    service.running.await.unwrap();
    assert!(stopped.elapsed() < STOPPED_WITHIN);
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_answered_all_the_same() {
    let service = Service::start().await;
    let headers = "Content-Type: application/json\r\nContent-Length: 1000000\r\n";
    let path = format!("scheduler/sboms?image=sha256:{}", "0".repeat(64));
    let (mut reading, mut writing) = begin(&service, &path, headers).await.into_split();
    let trickle = tokio::spawn(async move {
        while writing.write_all(&[b' '; 2_000]).await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let stopped = Instant::now();
    service.shutdown.cancel();
    let mut answer = vec![0; 12];
    reading.read_exact(&mut answer).await.unwrap();
    assert_eq!(status(&String::from_utf8_lossy(&answer)), 503);
    assert!((9..=12).contains(&stopped.elapsed().as_secs()));
    // To its end, and without a broken connection.
    reading.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.contains("connection: close"), "{answer}");
    assert!(answer.contains("the service stops"), "{answer}");
    trickle.abort();
    service.running.await.unwrap();
}
