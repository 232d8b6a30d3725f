//! One event on its way to many readers: written once, shared by all.

use std::sync::OnceLock;

use axum::body::Bytes;
use jobengine_domain::event::{Delivery, Event};
use jobengine_domain::stream::{Cursor, Epoch, Place};
use jobengine_store::EventRecord;

use super::cursor;
use crate::page::Pages;

/// An event with its cursor, in the forms in which it is sent.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Where it stands.
    pub(super) place: Place,
    /// What filters look at.
    pub(super) event: Event,
    cursor: String,
    envelope: String,
    sse: OnceLock<Bytes>,
}

impl Frame {
    pub(super) fn new(record: EventRecord, epoch: Epoch, pages: Pages<'_>) -> Self {
        let EventRecord { place, event } = record;
        let envelope = serde_json::to_string(&event.envelope(Delivery::Stream))
            .expect("an envelope is plain JSON");
        Self {
            place,
            cursor: cursor::write(pages, &Cursor { epoch, place }),
            envelope,
            event,
            sse: OnceLock::new(),
        }
    }

    /// Roughly what it costs to keep.
    pub(super) fn bytes(&self) -> usize {
        2 * (self.envelope.len() + self.cursor.len()) + size_of::<Self>()
    }

    /// As a server-sent event.
    pub(super) fn sse(&self) -> &Bytes {
        self.sse.get_or_init(|| {
            let Self {
                cursor, envelope, ..
            } = self;
            Bytes::from(format!(
                "id: {cursor}\nevent: {}\ndata: {envelope}\n\n",
                self.event.kind
            ))
        })
    }

    /// As a message of a WebSocket.
    pub(crate) fn message(&self) -> String {
        let Self {
            cursor, envelope, ..
        } = self;
        format!("{{\"cursor\":\"{cursor}\",\"event\":{envelope}}}")
    }
}
