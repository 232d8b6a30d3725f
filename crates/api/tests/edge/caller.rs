//! A client that keeps its connection, does what HTTP asks of clients, and says exactly how calls end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Whatever takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// How calls ended, of many clients.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    /// With an answer.
    pub(crate) answered: AtomicUsize,
    /// Without, on a connection that had rested and that the server ended before a byte of an answer.
    pub(crate) unread: AtomicUsize,
}

/// One client.
pub(crate) struct Caller {
    server: SocketAddr,
    token: String,
    ends: Arc<Ends>,
    connection: Option<Connection>,
}

struct Connection {
    stream: TcpStream,
    /// Calls that were answered over it.
    answered: usize,
}

/// What comes back.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
    /// It was the last one of its connection.
    last: bool,
}

impl Caller {
    pub(crate) fn new(server: SocketAddr, token: &str, ends: &Arc<Ends>) -> Self {
        Self {
            server,
            token: token.to_owned(),
            ends: Arc::clone(ends),
            connection: None,
        }
    }

    /// Asks once; `None` when the server takes no connections any more.
    ///
    /// # Errors
    /// How the call broke: anything but an answer, or the clean end of a connection at rest.
    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> Result<Option<Reply>, String> {
        let (body, token) = (body.to_string(), &self.token);
        let key =
            jobengine_store::draw::<uuid::Uuid>(jobengine_domain::time::Timestamp::from_micros(0));
        let head = format!(
            "POST /api/v1/orchestrator{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nIdempotency-Key: {key}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        loop {
            let Some(mut connection) = self.connect().await? else {
                return Ok(None);
            };
            let call = connection.exchange(&head, &body);
            let reply = tokio::time::timeout(PATIENCE, call)
                .await
                .map_err(|_| format!("{path}: nothing came"))?
                .map_err(|error| {
                    format!("{path} after {} answers: {error}", connection.answered)
                })?;
            if let Some(reply) = reply {
                self.ends.answered.fetch_add(1, Ordering::Relaxed);
                connection.answered += 1;
                if !reply.last {
                    self.connection = Some(connection);
                }
                return Ok(Some(reply));
            }
            if connection.answered == 0 {
                return Err(format!(
                    "{path}: no answer to the first request of a connection"
                ));
            }
            self.ends.unread.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The connection that is there, unless it has ended meanwhile; else a new one.
    async fn connect(&mut self) -> Result<Option<Connection>, String> {
        if let Some(connection) = self.connection.take() {
            match connection.stream.try_read(&mut [0; 1]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Some(connection));
                }
                Ok(0) => {}
                Ok(_) => return Err("bytes nobody asked for".to_owned()),
                Err(error) => return Err(format!("at rest: {error}")),
            }
        }
        match TcpStream::connect(self.server).await {
            Ok(stream) => {
                stream
                    .set_nodelay(true)
                    .map_err(|error| error.to_string())?;
                Ok(Some(Connection {
                    stream,
                    answered: 0,
                }))
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(None),
            Err(error) => Err(format!("to connect: {error}")),
        }
    }
}

impl Connection {
    /// `None` when the server ended the connection before the first byte of an answer.
    async fn exchange(&mut self, head: &str, body: &str) -> io::Result<Option<Reply>> {
        // In two parts, as many clients do.
        self.stream.write_all(head.as_bytes()).await?;
        self.stream.write_all(body.as_bytes()).await?;
        let (mut answer, mut some) = (Vec::new(), vec![0; 16 * 1024]);
        loop {
            let read = self.stream.read(&mut some).await?;
            if read == 0 && answer.is_empty() {
                return Ok(None);
            }
            if read == 0 {
                return Err(io::Error::other("the answer broke off"));
            }
            answer.extend_from_slice(&some[..read]);
            if let Some(reply) = whole(&answer) {
                return Ok(Some(reply));
            }
        }
    }
}

/// An answer, when all of it is there.
fn whole(answer: &[u8]) -> Option<Reply> {
    let end = answer.windows(4).position(|at| at == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).unwrap().to_lowercase();
    let header = |name: &str| {
        let mut lines = head.lines();
        lines.find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned()))
    };
    let length: usize = header("content-length").map_or(0, |length| length.parse().unwrap());
    let body = &answer[end + 4..];
    (body.len() >= length).then(|| Reply {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        body: serde_json::from_slice(body).unwrap_or(Value::Null),
        last: header("connection").is_some_and(|said| said == "close"),
    })
}
