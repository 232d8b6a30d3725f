//! The server: the route table behind the edge, and what every request passes on the way to it.

mod config;
mod door;
mod serve;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONNECTION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use futures_util::future::BoxFuture;
use jobengine_domain::network::Network;
use jobengine_queue::Queue;
use jobengine_store::Store;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::Service;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;

pub use self::config::ServerConfig;
use crate::edge::{Answer, Arrival, PeerTimeout, Turn, Verbs, client, panicked, watch};
use crate::identity::{Authenticator, Identity};
use crate::problem::{Code, Problem};
use crate::reference::Published;
use crate::route::Routes;
use crate::scheduler::SchedulerState;
use crate::state::AppState;
use crate::{administration, health, reference, scheduler, v1};

/// Connections at once of the administration's listener.
const ADMINISTRATION_CONNECTIONS_MAX: usize = 64;

/// The HTTP service over one ledger.
#[derive(Debug)]
pub struct Server {
    state: AppState,
    router: Router,
    verbs: Verbs,
    drain: Duration,
    proxies: Arc<[Network]>,
    peer_timeout: PeerTimeout,
    rest: Duration,
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
            rest: config.connection_rest,
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
            rest: self.rest,
            connections: Arc::new(Semaphore::new(ADMINISTRATION_CONNECTIONS_MAX)),
        }
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

/// The router of one connection, behind the rewriting of verbs.
#[derive(Debug, Clone)]
struct Requests {
    router: Router,
    verbs: Verbs,
    proxies: Arc<[Network]>,
    /// The other end of the connection.
    peer: IpAddr,
    turn: Turn,
    /// Canceled when no more requests are wanted on this connection.
    stopping: CancellationToken,
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
        let (turn, stopping) = (self.turn.clone(), self.stopping.clone());
        let answering = turn.begin();
        let answer = self.router.call(request);
        Box::pin(async move {
            let mut response = answer.await?;
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                turn.upgrade();
            } else if stopping.is_cancelled() {
                // The client learns of it with its answer, and sends no request into a connection that ends.
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(CONNECTION, close);
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
