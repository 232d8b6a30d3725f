//! Traces: spans with their moments as the ledger knows them, sent as OTLP.
//!
//! Nothing waits for the collector: a bounded queue takes spans, a task sends them, and what does not
//! fit or is not taken is dropped and counted.

mod otlp;

use std::borrow::Cow;

use jobengine_domain::metric::process;
use jobengine_domain::time::Timestamp;
use jobengine_domain::trace::TraceContext;
use tokio::sync::mpsc;

use crate::{Counter, Registry};

pub use otlp::{CollectorError, export};

/// Spans that wait to be sent; further ones are dropped.
const QUEUE_MAX: usize = 8_192;

/// Something that took time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Which it is.
    pub context: TraceContext,
    /// The span it is part of; 0 when it begins its trace.
    pub parent: u64,
    /// Whether that one was made by somebody else.
    pub parent_is_remote: bool,
    /// What it is.
    pub name: Cow<'static, str>,
    /// Whose side of a conversation it is.
    pub kind: SpanKind,
    /// When it began.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// What is known of it.
    pub attributes: Vec<(&'static str, String)>,
    /// What it follows from.
    pub links: Vec<TraceContext>,
    /// Why it failed, in one word.
    pub failure: Option<String>,
}

/// Whose side of a conversation a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// A request that was answered.
    Server,
    /// Work that was taken from a queue.
    Consumer,
    /// Neither.
    Internal,
}

/// Takes spans. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Traces(Option<Sending>);

#[derive(Debug, Clone)]
struct Sending {
    spans: mpsc::Sender<Span>,
    dropped: Counter<1>,
}

/// Spans on their way to a collector.
#[derive(Debug)]
pub struct SpanQueue {
    pub(crate) spans: mpsc::Receiver<Span>,
    pub(crate) exported: Counter<0>,
    pub(crate) dropped: Counter<1>,
}

impl Traces {
    /// Takes none. The metrics are there all the same.
    pub fn off(registry: &Registry) -> Self {
        drop(Self::queued(registry));
        Self(None)
    }

    /// Takes spans into a queue, for [`export`] or for a test.
    pub fn queued(registry: &Registry) -> (Self, SpanQueue) {
        let (sender, spans) = mpsc::channel(QUEUE_MAX);
        let dropped = registry.counter(&process::SPANS_DROPPED);
        let queue = SpanQueue {
            spans,
            exported: registry.counter(&process::SPANS_EXPORTED),
            dropped: dropped.clone(),
        };
        let sending = Sending {
            spans: sender,
            dropped,
        };
        (Self(Some(sending)), queue)
    }

    /// Whether anything is recorded: what costs a statement is not asked for otherwise.
    pub const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Takes a span, unless its trace is not recorded. Never waits.
    pub fn record(&self, span: Span) {
        if let Some(sending) = &self.0
            && span.context.sampled
            && sending.spans.try_send(span).is_err()
        {
            sending.dropped.inc(["queue_full"]);
        }
    }
}

impl SpanQueue {
    /// The spans that wait, without waiting for more.
    pub fn taken(&mut self) -> Vec<Span> {
        std::iter::from_fn(|| self.spans.try_recv().ok()).collect()
    }
}

#[cfg(test)]
mod tests;
