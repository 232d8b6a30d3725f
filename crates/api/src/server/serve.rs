//! Connections in, and an orderly end.
//!
//! A stop breaks no call. First `/readyz` says no and every answer asks its client to send no more requests over the
//! connection. When that time is over, whoever waits is answered at once; a connection ends when what it has brought
//! is answered, and what is on its way meets a clean end, which a client may repeat.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Requests, Server, door};
use crate::edge::{Lingering, Paced, Resting, Turn};

/// Largest head of a request, in bytes.
const HEAD_MAX: usize = 16 * 1024;
/// Most headers of a request.
const HEADERS_MAX: usize = 100;
/// What is read ahead of a connection, and gathered before it is written, in bytes.
const BUFFER_MAX_BYTES: usize = 64 * 1024;
/// What a rest and a head together take at most, beside the rest.
const BACKSTOP: Duration = Duration::from_mins(1);
/// After a failure to accept, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// When the server stops, those who are about to be connected have so long: a few round trips.
const SETTLE: Duration = Duration::from_millis(250);
/// Requests under way have so long to end when the server stops; then they are answered as they stand.
const GRACE: Duration = Duration::from_secs(10);
/// And those answers so long to be read.
const LAST: Duration = Duration::from_secs(3);

/// One client's connection, which may become a WebSocket.
type Connection = http1::UpgradeableConnection<Stream, TowerToHyperService<Requests>>;
type Stream = TokioIo<Resting<Paced<Lingering<TcpStream>>>>;

/// The connections of a listener.
struct Connections {
    tasks: TaskTracker,
    /// Canceled when they are to end.
    stop: CancellationToken,
    /// Canceled when none is waited for any more.
    cut_off: CancellationToken,
}

impl Server {
    /// Answers requests until `shutdown`. Then `/readyz` says no, so that no new ones are sent here, and
    /// after [`ServerConfig::drain`](super::ServerConfig::drain) connections end: long polls at once with what they
    /// have, other requests under way when they are answered, after ten seconds at most.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) {
        let (suspended, store) = (self.state.suspended().clone(), self.state.store().clone());
        tokio::spawn(suspended.follow(store, self.state.shutdown().clone()));
        let connections = Connections {
            tasks: TaskTracker::new(),
            stop: self.drained(shutdown),
            cut_off: CancellationToken::new(),
        };
        let stopped = connections.stop.clone();
        stopped
            .run_until_cancelled(self.take(&listener, &connections))
            .await;
        self.state.shutdown().cancel();
        door::shut(&listener);
        // Who stands before the door is let in, and answered.
        let _ = timeout(SETTLE, self.take(&listener, &connections)).await;
        drop(listener);
        self.end(connections).await;
    }

    /// Canceled when `shutdown` is, and the time to drain is over.
    fn drained(&self, shutdown: CancellationToken) -> CancellationToken {
        let (drained, stopping) = (CancellationToken::new(), self.state.stopping().clone());
        let (over, drain) = (drained.clone(), self.drain);
        tokio::spawn(async move {
            shutdown.cancelled().await;
            stopping.cancel();
            sleep(drain).await;
            over.cancel();
        });
        drained
    }

    /// Takes connections and serves them, for ever.
    async fn take(&self, listener: &TcpListener, connections: &Connections) {
        loop {
            let Some((stream, peer, place)) = self.accept(listener).await else {
                sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let counted = self.state.metrics().connection();
            let connection = self.connection(stream, peer, connections.stop.clone());
            let cut_off = connections.cut_off.clone();
            connections.tasks.spawn(async move {
                if let Some(Err(error)) = cut_off.run_until_cancelled(connection).await {
                    tracing::debug!(%error, "a connection ended early");
                }
                drop((counted, place));
            });
        }
    }

    async fn accept(
        &self,
        listener: &TcpListener,
    ) -> Option<(TcpStream, IpAddr, OwnedSemaphorePermit)> {
        let place = Arc::clone(&self.connections).acquire_owned().await.ok()?;
        match listener.accept().await {
            Ok((stream, peer)) => {
                // An answer is one small write: it must not wait for the client's acknowledgement.
                let _ = stream.set_nodelay(true);
                // Fails only for a connection that has ended, and serving it ends at once.
                let _ = self.peer_timeout.apply(&stream);
                Some((stream, peer.ip(), place))
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                None
            }
        }
    }

    /// Serves a connection; once the service stops, only until what it has brought is answered.
    fn connection(
        &self,
        stream: TcpStream,
        peer: IpAddr,
        stop: CancellationToken,
    ) -> impl Future<Output = hyper::Result<()>> + Send + use<> {
        let turn = Turn::default();
        let requests = Requests {
            router: self.router.clone(),
            verbs: self.verbs.clone(),
            proxies: Arc::clone(&self.proxies),
            peer,
            turn: turn.clone(),
            stopping: self.state.stopping().clone(),
        };
        let stream = Paced::new(Lingering::new(stream), turn.clone());
        let connection: Connection = http1::Builder::new()
            // The layers of the connection are earlier with heads and rests. That there is a limit has hyper read on
            // after each answer, which is when they look.
            .timer(TokioTimer::new())
            .header_read_timeout(self.rest + BACKSTOP)
            .max_header_size(HEAD_MAX)
            .max_headers(HEADERS_MAX)
            .max_buf_size(BUFFER_MAX_BYTES)
            .serve_connection(
                TokioIo::new(Resting::new(stream, turn.clone(), self.rest)),
                TowerToHyperService::new(requests),
            )
            .with_upgrades();
        async move {
            let mut connection = std::pin::pin!(connection);
            tokio::select! {
                ended = connection.as_mut() => return ended,
                () = stop.cancelled() => turn.stop(),
            }
            connection.await
        }
    }

    /// Waits for what is under way, within bounds.
    async fn end(&self, connections: Connections) {
        let Connections { tasks, cut_off, .. } = connections;
        tasks.close();
        let ended = async || {
            tasks.wait().await;
            // A WebSocket has left its connection behind.
            self.state.hub().idle().await;
        };
        if timeout(GRACE, ended()).await.is_err() {
            tracing::warn!("some requests did not end in time and are refused");
            self.state.out_of_time().cancel();
            if timeout(LAST, ended()).await.is_err() {
                tracing::warn!("some connections did not end in time and are cut off");
            }
        }
        cut_off.cancel();
    }
}
