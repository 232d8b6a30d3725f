//! The newest frames of one tenant, shared by its readers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jobengine_domain::stream::Place;
use jobengine_store::EventFilter;
use tokio::sync::watch;

use super::end::End;
use super::frame::Frame;

/// What one tenant's ring keeps: readers that stumble for a moment find it there.
const RING_BYTES: usize = 1024 * 1024;

/// The newest frames. Bounded by bytes; the oldest go first.
#[derive(Debug)]
pub(super) struct Ring {
    inner: Mutex<Inner>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Everything after `floor` and up to `head` stands in `frames`; nothing is known before the first look.
    span: Option<(Place, Place)>,
    frames: VecDeque<Arc<Frame>>,
    bytes: usize,
    ended: Option<End>,
}

/// What a reader finds.
pub(super) enum Look {
    /// Nobody has looked at the ledger yet.
    NotYet,
    /// What comes next for it is no longer here: it reads the ledger by itself.
    Behind,
    /// The wanted frames after its place, as far as it takes them; everything up to `passed` was looked at.
    At {
        frames: Vec<Arc<Frame>>,
        passed: Place,
    },
    /// The tailer cannot go on.
    Ended(End),
}

impl Ring {
    pub(super) fn new() -> Self {
        Self {
            inner: Mutex::default(),
            changed: watch::Sender::new(0),
        }
    }

    /// Changes with every [`Ring::push`].
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Begins after `place`.
    pub(super) fn begin(&self, place: Place) {
        self.lock().span = Some((place, place));
        self.announce();
    }

    /// Adds the frames up to `reached`.
    pub(super) fn push(&self, frames: Vec<Arc<Frame>>, reached: Place) {
        let mut inner = self.lock();
        let Some((mut floor, _)) = inner.span else {
            return;
        };
        let news = !frames.is_empty();
        for frame in frames {
            inner.bytes += frame.bytes();
            inner.frames.push_back(frame);
        }
        while inner.bytes > RING_BYTES {
            let Some(gone) = inner.frames.pop_front() else {
                break;
            };
            inner.bytes -= gone.bytes();
            floor = gone.place;
        }
        inner.span = Some((floor, reached));
        drop(inner);
        if news {
            self.announce();
        }
    }

    /// Tells the readers that nothing will come any more.
    pub(super) fn end(&self, end: End) {
        self.lock().ended = Some(end);
        self.announce();
    }

    pub(super) fn has_ended(&self) -> bool {
        self.lock().ended.is_some()
    }

    /// The wanted frames after `place`, up to about `most` bytes of them.
    pub(super) fn look(&self, place: Place, filter: &EventFilter, most: usize) -> Look {
        let inner = self.lock();
        if let Some(end) = inner.ended {
            return Look::Ended(end);
        }
        let Some((floor, head)) = inner.span else {
            return Look::NotYet;
        };
        if place < floor {
            return Look::Behind;
        }
        let first = inner.frames.partition_point(|frame| frame.place <= place);
        let (mut frames, mut bytes) = (Vec::new(), 0);
        let mut passed = head.max(place);
        for frame in inner.frames.range(first..) {
            if !filter.takes(&frame.event) {
                continue;
            }
            bytes += frame.sse().len();
            frames.push(Arc::clone(frame));
            if bytes >= most {
                passed = frame.place;
                break;
            }
        }
        Look::At { frames, passed }
    }

    fn announce(&self) {
        self.changed
            .send_modify(|changes| *changes = changes.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
