//! A receiver: remembers what it was sent, and answers as it is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        &self.headers[name]
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What it answers: a status and headers, or nothing at all.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Says {
    Status(u16, &'static str),
    Nothing,
}

#[derive(Debug, Clone)]
pub(crate) struct Receiver {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    says: Arc<Mutex<Says>>,
}

impl Receiver {
    pub(crate) async fn start(says: Says) -> Self {
        Self::behind(None, says).await
    }

    /// One that speaks TLS, if it has what it takes.
    pub(crate) async fn behind(tls: Option<TlsAcceptor>, says: Says) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            port: listener.local_addr().unwrap().port(),
            seen: Arc::default(),
            says: Arc::new(Mutex::new(says)),
        };
        let all = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (receiver, tls) = (all.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => receiver.serve(stream).await,
                        Some(tls) => {
                            // A sender that does not trust it says so and goes.
                            if let Ok(stream) = tls.accept(stream).await {
                                receiver.serve(stream).await;
                            }
                        }
                    }
                });
            }
        });
        receiver
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook?key=k", self.port)
    }

    pub(crate) fn say(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) async fn serve(self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let pairs = head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "));
        let headers: BTreeMap<String, String> = pairs
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let length: usize = headers["content-length"].parse().unwrap();
        let mut body = bytes.split_off(end + 4);
        while body.len() < length {
            stream.read_buf(&mut body).await.unwrap();
        }
        self.seen.lock().unwrap().push(Seen { headers, body });
        let says = *self.says.lock().unwrap();
        match says {
            Says::Nothing => tokio::time::sleep(Duration::from_mins(5)).await,
            Says::Status(status, headers) => {
                let answer = format!("HTTP/1.1 {status} X\r\n{headers}content-length: 2\r\n\r\nok");
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        }
    }
}
