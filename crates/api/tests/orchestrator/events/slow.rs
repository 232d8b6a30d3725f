//! A reader that takes nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use super::reader::{Sent, Stream};
use crate::service::{Person, Service, job};

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
    // Events may come late: a transaction elsewhere in the cluster holds them back.
    let handed = || service.sample("jobengine_stream_events_total");
    let mut before = 0;
    while before < 1_000 || handed() > before {
        before = handed();
        tokio::time::sleep(Duration::from_millis(1_200)).await;
    }
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
