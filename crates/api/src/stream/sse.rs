//! A reader's turns as server-sent events (WHATWG HTML, section 9.2).

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::frame::Frame;
use super::reader::{Reader, Turn};

/// A reader that was cut off comes back after so long, in milliseconds.
const RETRY_MS: u32 = 2_000;

/// The response that streams what a reader is handed, until its end.
pub(crate) fn response(reader: Reader) -> Response {
    let hello = format!(
        "retry: {RETRY_MS}\n{}",
        quiet(&reader.cursor(), "connected")
    );
    let turns = stream::unfold(State::Begun(hello, reader), |state| async {
        let (bytes, state) = state.turn().await?;
        Some((Ok::<_, Infallible>(bytes), state))
    });
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        // A proxy that collects the answer before it passes it on would make it no stream.
        (
            HeaderName::from_static("x-accel-buffering"),
            HeaderValue::from_static("no"),
        ),
    ];
    (headers, Body::from_stream(turns)).into_response()
}

enum State {
    Begun(String, Reader),
    Open(Reader),
    Ended,
}

impl State {
    async fn turn(self) -> Option<(Bytes, Self)> {
        let mut reader = match self {
            Self::Begun(hello, reader) => return Some((Bytes::from(hello), Self::Open(reader))),
            Self::Open(reader) => reader,
            Self::Ended => return None,
        };
        let bytes = loop {
            match reader.next().await {
                Turn::Frames(frames) => break joined(&frames),
                Turn::Quiet { cursor } => break Bytes::from(quiet(&cursor, "alive")),
                Turn::Poked => {}
                Turn::End(end, cursor) => return Some((end.sse(&cursor), Self::Ended)),
            }
        };
        Some((bytes, Self::Open(reader)))
    }
}

/// A comment, and how far the stream has come: an id without data moves `Last-Event-ID` and wakes nobody.
fn quiet(cursor: &str, word: &str) -> String {
    format!(": {word}\nid: {cursor}\n\n")
}

fn joined(frames: &[std::sync::Arc<Frame>]) -> Bytes {
    match frames {
        [one] => one.sse().clone(),
        many => {
            let mut bytes = Vec::with_capacity(many.iter().map(|frame| frame.sse().len()).sum());
            for frame in many {
                bytes.extend_from_slice(frame.sse());
            }
            Bytes::from(bytes)
        }
    }
}
