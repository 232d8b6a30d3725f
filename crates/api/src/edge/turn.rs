//! Whose turn it is on a connection, and what the layers of a connection know of each other.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use hyper::body::{Bytes, Frame, SizeHint};

/// The connection speaks another protocol from now on, which has paces of its own.
const UPGRADED: u64 = u64::MAX;

/// Whose turn it is on a connection: even while a request is awaited, odd while one is answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turn(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    count: AtomicU64,
    streams: AtomicBool,
    blocked: AtomicBool,
    stopping: AtomicBool,
}

impl Turn {
    /// A head is complete. The turn ends when what is returned is dropped.
    pub(crate) fn begin(&self) -> Answering {
        let begun = (self.0.count.load(Ordering::Relaxed) | 1).saturating_add(2);
        self.0.count.store(begun, Ordering::Relaxed);
        self.0.streams.store(false, Ordering::Relaxed);
        Answering {
            turn: self.clone(),
            begun,
        }
    }

    /// The connection is no longer one of requests and answers.
    pub(crate) fn upgrade(&self) {
        self.0.count.store(UPGRADED, Ordering::Relaxed);
    }

    /// The answer has no end of its own.
    pub(crate) fn stream(&self) {
        self.0.streams.store(true, Ordering::Relaxed);
    }

    /// Whether the answer has no end of its own.
    pub(super) fn is_stream(&self) -> bool {
        self.0.streams.load(Ordering::Relaxed)
    }

    /// Part of an answer waits for the other side to read, or no longer.
    pub(super) fn block(&self, blocked: bool) {
        self.0.blocked.store(blocked, Ordering::Relaxed);
    }

    /// The connection takes one more request at most.
    pub(crate) fn stop(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Relaxed)
    }

    /// Whether nothing is being answered.
    pub(super) fn is_at_rest(&self) -> bool {
        self.now().is_multiple_of(2) && !self.0.blocked.load(Ordering::Relaxed)
    }

    pub(super) fn now(&self) -> u64 {
        self.0.count.load(Ordering::Relaxed)
    }
}

/// A request is being answered.
#[derive(Debug)]
pub(crate) struct Answering {
    turn: Turn,
    begun: u64,
}

impl Drop for Answering {
    fn drop(&mut self) {
        let ended = self.begun.saturating_add(1);
        // Unless the next one has begun, or the connection was upgraded.
        let _ = self.turn.0.count.compare_exchange(
            self.begun,
            ended,
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
    }
}

/// An answer's body, which holds the turn until it is written.
#[derive(Debug)]
pub(crate) struct Answer {
    body: axum::body::Body,
    _turn: Answering,
}

impl Answer {
    pub(crate) const fn new(body: axum::body::Body, turn: Answering) -> Self {
        Self { body, _turn: turn }
    }
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        hyper::body::Body::is_end_stream(&self.body)
    }

    fn size_hint(&self) -> SizeHint {
        hyper::body::Body::size_hint(&self.body)
    }
}
