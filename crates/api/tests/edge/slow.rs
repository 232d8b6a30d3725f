//! Clients that are slow on purpose cost little and are not waited for.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;

use crate::raw::{assert_well, connect, read, resident_bytes, status, token};
use crate::service::Service;

/// Most that all slow clients of a test may cost.
const MEMORY_MAX_BYTES: usize = 96 * 1024 * 1024;

#[tokio::test]
async fn heads_that_drip_are_cut_off() {
    let service = Service::start().await;
    let before = resident_bytes();
    let mut drips = JoinSet::new();
    for _ in 0..200 {
        let mut stream = connect(&service).await;
        drips.spawn(async move {
            let started = Instant::now();
            stream
                .write_all(b"GET /healthz HTTP/1.1\r\n")
                .await
                .unwrap();
            while stream.write_all(b"X: y\r\n").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(500)).await;
                assert!(started.elapsed() < Duration::from_secs(15), "never cut off");
            }
            started.elapsed()
        });
    }
    assert_well(&service).await;
    while let Some(took) = drips.join_next().await {
        assert!(took.unwrap() >= Duration::from_secs(9));
    }
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < MEMORY_MAX_BYTES, "{grown} bytes more");
    assert_well(&service).await;
}

#[tokio::test]
async fn a_body_that_trickles_is_answered_with_408() {
    let service = Service::start().await;
    let mut stream = connect(&service).await;
    let head = format!(
        "POST /api/v1/orchestrator/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nIdempotency-Key: trickle-0001\r\nContent-Length: 100000\r\n\r\n",
        token(&service)
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut reading, mut writing) = stream.into_split();
    let trickle = tokio::spawn(async move {
        while writing.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let started = Instant::now();
    let mut answer = [0; 12];
    tokio::io::AsyncReadExt::read_exact(&mut reading, &mut answer)
        .await
        .unwrap();
    trickle.abort();
    assert_eq!(status(&String::from_utf8_lossy(&answer)), 408);
    assert!((9..=13).contains(&started.elapsed().as_secs()));
    assert_well(&service).await;
}

#[tokio::test]
async fn answers_nobody_reads_are_given_up() {
    let service = Service::start().await;
    let before = resident_bytes();
    let mut deaf = JoinSet::new();
    for _ in 0..20 {
        let mut stream = connect(&service).await;
        deaf.spawn(async move {
            // Far more than the buffers of both ends hold.
            let ask = b"GET /docs HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2_000);
            let started = Instant::now();
            let _ = stream.write_all(&ask).await;
            while stream.write_all(b"\r\n").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(500)).await;
                assert!(
                    started.elapsed() < Duration::from_secs(25),
                    "never given up"
                );
            }
        });
    }
    let mut most = 0;
    while !deaf.is_empty() {
        most = most.max(resident_bytes().saturating_sub(before));
        let _ = tokio::time::timeout(Duration::from_millis(200), async {
            if let Some(ended) = deaf.join_next().await {
                ended.unwrap();
            }
        })
        .await;
    }
    assert!(most < MEMORY_MAX_BYTES, "{most} bytes more");
    assert_well(&service).await;
}

#[tokio::test]
async fn a_connection_may_rest_between_requests() {
    let service = Service::start().await;
    let mut stream = connect(&service).await;
    let ask = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(ask).await.unwrap();
    tokio::time::sleep(Duration::from_secs(12)).await;
    stream
        .write_all(b"GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let answers = read(&mut stream).await;
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 2, "{answers}");
}

#[tokio::test]
async fn a_connection_that_rests_too_long_ends_cleanly() {
    let rest = Duration::from_secs(1);
    let service = Service::start_with(|config| config.connection_rest = rest).await;
    let mut fresh = connect(&service).await;
    let mut used = connect(&service).await;
    let started = Instant::now();
    let ask = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    used.write_all(ask).await.unwrap();
    assert_eq!(read(&mut fresh).await, "");
    let answer = read(&mut used).await;
    let took = started.elapsed();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(rest <= took && took < 3 * rest, "{took:?}");
    // What is on its way meets no broken connection.
    used.write_all(ask).await.unwrap();
    used.write_all(ask).await.unwrap();
    assert_eq!(read(&mut used).await, "");
}
