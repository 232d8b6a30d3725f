//! Peers that are gone without a word, and peers that are there and read nothing.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jobengine_api::{DevIssuer, ServerConfig};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

use crate::network::{Network, alone, held};
use crate::raw::token_of;
use crate::service::{OTHERS, OURS, SESSION, Service, job};

/// A peer that says nothing ends within it; thirty seconds unless a test has no time for it.
const SILENCE_MAX: Duration = Duration::from_secs(6);
/// What the machine may take beside it.
const SLACK: Duration = Duration::from_secs(2);
/// What asks for a WebSocket.
const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const STREAMS: usize = 20;
const SOCKETS: usize = 8;
const OTHER_CONNECTIONS: usize = 8;

fn config() -> ServerConfig {
    ServerConfig {
        peer_silence: SILENCE_MAX,
        // So that some connections have something under way whenever the network goes down.
        stream_heartbeat: Duration::from_millis(700),
        ..ServerConfig::default()
    }
}

fn head(line: &str, token: &str, more: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{more}\r\n")
}

fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().unwrap()
}

fn streams(service: &Service) -> u64 {
    let open = |kind: &str| service.sample(&format!("jobengine_streams{{kind=\"{kind}\"}}"));
    open("sse") + open("ws")
}

/// Where to connect, and what to show.
struct Clients {
    network: Arc<Network>,
    api: SocketAddr,
    inside: SocketAddr,
    ours: String,
    others: String,
}

impl Clients {
    fn of(network: &Arc<Network>, service: &Service) -> Self {
        Self {
            network: Arc::clone(network),
            api: address(&service.url),
            inside: address(&service.inside),
            ours: token_of(service, OURS),
            others: token_of(service, OTHERS),
        }
    }

    /// Connections of every kind, as clients leave them.
    fn open_all(&self) -> Vec<TcpStream> {
        let mut all = Vec::new();
        for at in 0..STREAMS {
            let request = self.events("/stream", at, "");
            all.push(self.open(self.api, &request, ": connected"));
        }
        for at in 0..SOCKETS {
            let request = self.events("/ws", at, UPGRADE);
            all.push(self.open(self.api, &request, "101 Switching"));
        }
        let claim = json!({"sessionId": SESSION, "worker": "w", "types": ["none"], "max": 1, "waitMs": 30_000});
        let claim = claim.to_string();
        let length = claim.len();
        let length = format!("Content-Type: application/json\r\nContent-Length: {length}\r\n");
        let path = "POST /api/v1/orchestrator/worker/claim";
        let long_poll = head(path, &self.ours, &length) + &claim;
        let health = head("GET /healthz", &self.ours, "");
        for _ in 0..OTHER_CONNECTIONS {
            all.push(self.open(self.api, &long_poll, ""));
            all.push(self.open(self.api, &health, "200 OK"));
            all.push(self.open(self.inside, &health, "200 OK"));
            // One that has not said anything yet, and one in the middle of a request's head.
            all.push(self.open(self.api, "", ""));
            all.push(self.open(self.inside, "GET /healthz HTTP/1.1\r\n", ""));
        }
        all
    }

    /// Our tenant has events all the time, the other one is quiet.
    fn events(&self, way: &str, at: usize, headers: &str) -> String {
        let token = if at.is_multiple_of(2) {
            &self.ours
        } else {
            &self.others
        };
        let line = format!("GET /api/v1/orchestrator/events{way}");
        head(&line, token, headers)
    }

    /// Sends a request, and reads until what comes holds `awaited`.
    fn open(&self, server: SocketAddr, request: &str, awaited: &str) -> TcpStream {
        let mut stream = self.network.connect(server);
        stream.write_all(request.as_bytes()).unwrap();
        let (mut answer, mut some) = (String::new(), [0; 1024]);
        while !answer.contains(awaited) {
            let read = stream.read(&mut some).unwrap();
            assert!(read > 0, "{awaited:?} never came: {answer}");
            answer.push_str(&String::from_utf8_lossy(&some[..read]));
        }
        stream
    }
}

#[test]
fn peers_that_vanish_are_given_up_in_time() {
    alone(async |network| {
        let network = Arc::new(network);
        let service = Service::at(Network::LISTEN, DevIssuer::authenticator, config()).await;
        let clients = Clients::of(&network, &service);
        let ports = [clients.api.port(), clients.inside.port()];
        let open = || ports.into_iter().map(held).sum::<usize>();
        let all = tokio::task::spawn_blocking(move || clients.open_all());
        let all = all.await.unwrap();
        let ours = service.ours();
        let busy = tokio::spawn(async move {
            loop {
                ours.submit(json!([job()])).await;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(streams(&service), (STREAMS + SOCKETS) as u64);
        assert!(open() > all.len());
        network.cut();
        let cut = Instant::now();
        // One may be of the submitter, who is on this side. A reader is counted until it has noticed.
        while (open() > 1 || streams(&service) > 0) && cut.elapsed() < SILENCE_MAX + SLACK {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let (left, took) = (open(), cut.elapsed());
        println!("{left} of {} are open {took:?} later", all.len());
        busy.abort();
        assert_eq!(streams(&service), 0, "readers are still counted");
        assert!(left <= 1, "connections are still open");
    });
}

/// Its peer is there, acknowledges everything and reads nothing: room for more is what it never gives.
#[tokio::test]
async fn frozen_readers_are_given_up_in_time() {
    let service = Service::start_with(|set| *set = config()).await;
    let server = address(&service.url);
    let token = token_of(&service, OURS);
    let mut frozen = Vec::new();
    for (request, awaited) in [
        (
            head("GET /api/v1/orchestrator/events/stream", &token, ""),
            ": connected",
        ),
        (
            head("GET /api/v1/orchestrator/events/ws", &token, UPGRADE),
            "101 Switching",
        ),
    ] {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(64 * 1024).unwrap();
        let mut stream = socket.connect(server).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let (mut answer, mut some) = (String::new(), [0; 1024]);
        while !answer.contains(awaited) {
            let read = stream.read(&mut some).await.unwrap();
            answer.push_str(&String::from_utf8_lossy(&some[..read]));
        }
        frozen.push(stream);
    }
    let ours = service.ours();
    let flood = tokio::spawn(async move {
        let batch = json!(vec![job(); 1_000]);
        loop {
            ours.submit(batch.clone()).await;
        }
    });
    // More than the buffers of both ends hold.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let full = Instant::now();
    while streams(&service) > 0 && full.elapsed() < SILENCE_MAX + SLACK {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("ended within {:?}", full.elapsed());
    flood.abort();
    assert_eq!(streams(&service), 0, "readers are still counted");
    drop(frozen);
}
