//! The server: connections in, the route table behind the edge, and an orderly end.

mod config;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use futures_util::future::BoxFuture;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use jobengine_domain::network::Network;
use jobengine_queue::Queue;
use jobengine_store::Store;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;

pub use self::config::ServerConfig;
use crate::edge::{Answer, Arrival, Paced, PeerTimeout, Turn, Verbs, client, panicked, watch};
use crate::identity::{Authenticator, Identity};
use crate::problem::{Code, Problem};
use crate::reference::Published;
use crate::route::Routes;
use crate::scheduler::SchedulerState;
use crate::state::AppState;
use crate::{administration, health, reference, scheduler, v1};

/// A connection without a request for so long is closed. Longer than the usual interval of heartbeats,
/// so that they find their connection open. A head that has begun is awaited less long (`edge/pace.rs`).
const IDLE_MAX: Duration = Duration::from_mins(1);
/// Largest head of a request, in bytes.
const HEAD_MAX_BYTES: usize = 16 * 1024;
/// Most headers of a request.
const HEADERS_MAX: usize = 100;
/// What is read ahead of a connection, and gathered before it is written, in bytes.
const BUFFER_MAX_BYTES: usize = 64 * 1024;
/// Connections at once of the administration's listener.
const ADMINISTRATION_CONNECTIONS_MAX: usize = 64;
/// Requests under way have so long to end when the server stops.
const GRACE: Duration = Duration::from_secs(10);
/// After a failure to accept, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// One client's connection, which may become a WebSocket.
type Connection =
    http1::UpgradeableConnection<TokioIo<Paced<TcpStream>>, TowerToHyperService<Requests>>;

/// The HTTP service over one ledger.
#[derive(Debug)]
pub struct Server {
    state: AppState,
    router: Router,
    verbs: Verbs,
    drain: Duration,
    proxies: Arc<[Network]>,
    peer_timeout: PeerTimeout,
    connections: Arc<Semaphore>,
}

/// The OpenAPI document as text: the same bytes each time, because the names within an object stand in order.
///
/// # Panics
/// Never: an OpenAPI document is plain JSON.
pub fn contract_text() -> String {
    written(&document())
}

/// A document with the names within its objects in order; its own maps of extensions have none.
pub(crate) fn written(document: &OpenApi) -> String {
    let value = serde_json::to_value(document).expect("an OpenAPI document is plain JSON");
    format!("{value:#}")
}

/// The OpenAPI document of every operation.
pub fn document() -> OpenApi {
    reference::complete(operations().document())
}

/// The OpenAPI document of what the administration listener answers.
pub fn administration_document() -> OpenApi {
    administration::operations().document()
}

fn operations() -> Routes {
    Routes::new()
        .merge(health::routes())
        .merge(reference::routes())
        .nest("/api/v1/orchestrator", v1::routes())
        .nest("/api/v1/scheduler", scheduler::routes())
}

impl Server {
    /// Puts a server together. It touches neither network nor database until it serves.
    ///
    /// # Panics
    /// When an operation declares no scope (see `route.rs`).
    pub fn new(
        store: Store,
        queue: Arc<dyn Queue>,
        authenticator: Authenticator,
        config: &ServerConfig,
    ) -> Self {
        let scheduler = SchedulerState {
            indexes: Arc::clone(&config.indexes),
            keys: config.keys.clone(),
        };
        let identity = Identity::new(
            store.clone(),
            authenticator,
            config.secret.clone(),
            config.public_url.clone(),
        );
        let state = AppState::new(
            store,
            queue,
            identity,
            Published::new(&document()),
            scheduler,
            config,
        );
        let (router, verbs) = route(operations(), &state);
        Self {
            state,
            router,
            verbs,
            drain: config.drain,
            proxies: config.proxies.as_slice().into(),
            peer_timeout: PeerTimeout::within(config.peer_silence),
            connections: Arc::new(Semaphore::new(config.connections_max)),
        }
    }

    /// The administration of the same process, for a listener of its own: metrics, probes, the log's
    /// level, what operators do beside the contract. Behind the same edge and the same guard.
    #[must_use]
    pub fn administration(&self) -> Self {
        let (router, verbs) = route(administration::operations(), &self.state);
        Self {
            state: self.state.clone(),
            router,
            verbs,
            drain: self.drain,
            proxies: Arc::clone(&self.proxies),
            peer_timeout: self.peer_timeout,
            connections: Arc::new(Semaphore::new(ADMINISTRATION_CONNECTIONS_MAX)),
        }
    }

    /// Answers requests until `shutdown`. Then `/readyz` says no, so that no new ones are sent here, and
    /// after [`ServerConfig::drain`] connections end: long polls at once with what they have, other
    /// requests under way within ten seconds.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) {
        let suspended = self.state.suspended().clone();
        tokio::spawn(suspended.follow(self.state.store().clone(), shutdown.clone()));
        let shutdown = self.drained(shutdown);
        let tasks = TaskTracker::new();
        let cut_off = CancellationToken::new();
        loop {
            let accepted = tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = self.accept(&listener) => accepted,
            };
            let Some((stream, peer, place)) = accepted else {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let counted = self.state.metrics().connection();
            let connection = until_stopped(self.connection(stream, peer), shutdown.clone());
            let cut_off = cut_off.child_token();
            tasks.spawn(async move {
                if let Some(Err(error)) = cut_off.run_until_cancelled(connection).await {
                    tracing::debug!(%error, "a connection ended early");
                }
                drop((counted, place));
            });
        }
        drop(listener);
        self.state.shutdown().cancel();
        tasks.close();
        let ended = async {
            tasks.wait().await;
            // A WebSocket has left its connection behind.
            self.state.hub().idle().await;
        };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            tracing::warn!("some requests did not end in time and are cut off");
        }
        cut_off.cancel();
    }

    /// Canceled when `shutdown` is, and the time to drain is over.
    fn drained(&self, shutdown: CancellationToken) -> CancellationToken {
        let (drained, stopping) = (CancellationToken::new(), self.state.stopping().clone());
        let (over, drain) = (drained.clone(), self.drain);
        tokio::spawn(async move {
            shutdown.cancelled().await;
            stopping.cancel();
            tokio::time::sleep(drain).await;
            over.cancel();
        });
        drained
    }

    async fn accept(
        &self,
        listener: &TcpListener,
    ) -> Option<(TcpStream, IpAddr, tokio::sync::OwnedSemaphorePermit)> {
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

    fn connection(&self, stream: TcpStream, peer: IpAddr) -> Connection {
        let turn = Turn::default();
        let stream = Paced::new(stream, turn.clone());
        let requests = Requests {
            router: self.router.clone(),
            verbs: self.verbs.clone(),
            proxies: Arc::clone(&self.proxies),
            peer,
            turn,
        };
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE_MAX)
            .max_header_size(HEAD_MAX_BYTES)
            .max_headers(HEADERS_MAX)
            .max_buf_size(BUFFER_MAX_BYTES)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(requests))
            .with_upgrades()
    }
}

/// The operations behind the edge, and their verbs.
fn route(operations: Routes, state: &AppState) -> (Router, Verbs) {
    let (router, verbs) = operations.router(state);
    let router = router
        .fallback(unmatched)
        .method_not_allowed_fallback(wrong_method)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(state.clone(), watch))
        .with_state(state.clone());
    (router, verbs)
}

/// Serves a connection; once the service stops, only until the request under way is answered.
async fn until_stopped(connection: Connection, stop: CancellationToken) -> hyper::Result<()> {
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = stop.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}

/// The router of one connection, behind the rewriting of verbs.
#[derive(Debug, Clone)]
struct Requests {
    router: Router,
    verbs: Verbs,
    proxies: Arc<[Network]>,
    /// The other end of the connection.
    peer: IpAddr,
    turn: Turn,
}

impl Service<Request<hyper::body::Incoming>> for Requests {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<hyper::body::Incoming>) -> Self::Future {
        let arrival = Arrival {
            remote: client(self.peer, request.headers(), &self.proxies),
            path: request.uri().path().into(),
        };
        request.extensions_mut().insert(arrival);
        let request = self.verbs.rewrite(request.map(Body::new));
        let turn = self.turn.clone();
        let answering = turn.begin();
        let answer = self.router.call(request);
        Box::pin(async move {
            let response = answer.await?;
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                turn.upgrade();
            }
            if response.headers().get(CONTENT_TYPE).is_some_and(is_stream) {
                turn.stream();
            }
            Ok(response.map(|body| Body::new(Answer::new(body, answering))))
        })
    }
}

/// Whether an answer goes on until somebody ends it.
fn is_stream(media_type: &HeaderValue) -> bool {
    media_type.as_bytes().starts_with(b"text/event-stream")
}

async fn unmatched() -> Problem {
    Problem::not_found("path")
}

async fn wrong_method() -> Problem {
    Problem::new(Code::MethodNotAllowed, "see /openapi/orchestrator.json")
}
