//! `GET /events/ws`

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::query::{Wanted, start};
use super::stream::Query;
use crate::identity::Caller;
use crate::params::QueryParams;
use crate::problem::{Code, Problem};
use crate::state::AppState;
use crate::stream::{End, Reader, Turn};

/// Largest message, either way.
const MESSAGE_MAX_BYTES: usize = 64 * 1024;
/// What may wait in the socket's own buffer.
const WRITE_MAX_BYTES: usize = 256 * 1024;
/// Messages of the client that wait for their turn; its connection waits beyond it.
const HEARD_MAX: usize = 4;
/// At the end, the client has so long to take our close, and again to close itself.
const FAREWELL_MAX: Duration = Duration::from_secs(1);

/// Follow events over a WebSocket
///
/// The same stream as `GET /events/stream`, one JSON text message an event: `{"cursor": …, "event": …}`.
/// The service pings every 15 seconds and closes when it hears nothing for 30. The client may send
/// `{"subscribe": {"runId", "jobId", "types", "projectId"}}`, all of them optional: from there on it gets
/// these events instead; nothing else is taken. The last message is `{"cursor": …, "end": {"reason",
/// "detail"}}`, with the reasons of the stream. A browser may connect only from the service's own origin.
#[utoipa::path(
    get, path = "/events/ws", operation_id = "event_socket", tag = "events",
    extensions(("x-scope" = json!("orch:read"))),
    params(Query),
    responses(
        (status = 101, description = "The connection speaks WebSocket (RFC 6455) from here on"),
        (status = 400, description = "No WebSocket handshake, or a parameter that cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
        (status = 403, description = "The token lacks the scope, or is for another tenant; or a page of another origin asks (SCOPE_MISSING, TENANT_MISMATCH, ORIGIN_REFUSED)"),
        (status = 404, description = "The token is bound to another project (NOT_FOUND)"),
        (status = 410, description = "What came after the cursor is no longer kept (EVENT_CURSOR_EXPIRED)"),
        (status = 429, description = "The tenant or the node has too many streams (STREAM_LIMIT_REACHED)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    QueryParams(query): QueryParams<Query>,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    if !own_origin(&headers) {
        let detail = "a browser may connect only from the service's own origin";
        return Err(Problem::new(Code::OriginRefused, detail));
    }
    let upgrade = upgrade.map_err(|refused| {
        Problem::new(
            Code::ParameterInvalid,
            format!("no WebSocket handshake: {refused}"),
        )
    })?;
    let (wanted, after, origin) = query.parts();
    let start = start(&caller, &headers, after.as_deref(), origin)?;
    let filter = wanted.filter(&caller)?;
    let reader = Reader::open(&state, caller.clone(), "ws", filter, start).await?;
    Ok(upgrade
        .max_message_size(MESSAGE_MAX_BYTES)
        .max_frame_size(MESSAGE_MAX_BYTES)
        .max_write_buffer_size(WRITE_MAX_BYTES)
        .on_upgrade(async move |socket| {
            let (sink, messages) = socket.split();
            let (told, heard) = mpsc::channel(HEARD_MAX);
            let poke = reader.poke();
            let listening =
                tokio::spawn(listen(messages, caller, told, poke, state.socket_silence()));
            let listening = AbortOnDropHandle::new(listening);
            let mut conversation = Conversation {
                sink,
                reader,
                heard,
            };
            let (code, reason) = conversation.hold(state.stream_stall()).await;
            conversation.close(code, reason).await;
            // Until the client has closed too: what it has just sent must not break the connection off before it
            // has read the end.
            let _ = tokio::time::timeout(FAREWELL_MAX, listening).await;
        }))
}

/// Whether the request comes from no browser, or from a page of the service itself.
fn own_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let origin = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.parse::<Uri>().ok());
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    match (origin.as_ref().and_then(Uri::authority), host) {
        (Some(origin), Some(host)) => origin.as_str().eq_ignore_ascii_case(host),
        _ => false,
    }
}

/// What a client may say.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Said {
    subscribe: Wanted,
}

/// What came from the client.
enum Heard {
    Subscribe(jobengine_store::EventFilter),
    /// Something that is not taken: the reason for the close.
    Refused(&'static str),
    Gone,
}

/// Takes what the client says, until it is silent for too long.
async fn listen(
    mut messages: SplitStream<WebSocket>,
    caller: Caller,
    told: mpsc::Sender<Heard>,
    poke: std::sync::Arc<tokio::sync::Notify>,
    silence_max: Duration,
) {
    loop {
        let heard = match tokio::time::timeout(silence_max, messages.next()).await {
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => continue,
            Ok(Some(Ok(Message::Text(text)))) => subscription(&text, &caller),
            Ok(Some(Ok(Message::Binary(_)))) => Heard::Refused("only text is taken"),
            Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) | Err(_) => Heard::Gone,
        };
        let last = !matches!(heard, Heard::Subscribe(_));
        if told.send(heard).await.is_err() {
            return;
        }
        poke.notify_one();
        if last {
            return;
        }
    }
}

fn subscription(text: &str, caller: &Caller) -> Heard {
    match serde_json::from_str::<Said>(text) {
        Ok(said) => match said.subscribe.filter(caller) {
            Ok(filter) => Heard::Subscribe(filter),
            Err(_) => Heard::Refused("a type or project that does not exist"),
        },
        Err(_) => Heard::Refused("only {\"subscribe\": {…}} is taken"),
    }
}

/// The connection, and the reader behind it.
struct Conversation {
    sink: SplitSink<WebSocket, Message>,
    reader: Reader,
    heard: mpsc::Receiver<Heard>,
}

impl Conversation {
    /// Sends what the reader is handed until one side ends it; how to close.
    async fn hold(&mut self, stall: Duration) -> (u16, &'static str) {
        loop {
            let messages = match self.reader.next().await {
                Turn::Frames(frames) => {
                    let text = |frame: &std::sync::Arc<crate::stream::Frame>| {
                        Message::text(frame.message())
                    };
                    frames.iter().map(text).collect()
                }
                Turn::Quiet { .. } => vec![Message::Ping(Bytes::new())],
                Turn::Poked => match self.heard.try_recv() {
                    Ok(Heard::Subscribe(filter)) => {
                        self.reader.subscribe(filter);
                        continue;
                    }
                    Ok(Heard::Refused(why)) => return (close_code::POLICY, why),
                    Ok(Heard::Gone) | Err(mpsc::error::TryRecvError::Disconnected) => {
                        return (close_code::NORMAL, "");
                    }
                    Err(mpsc::error::TryRecvError::Empty) => continue,
                },
                Turn::End(end, cursor) => {
                    let last = Message::text(end.message(&cursor));
                    let _ = tokio::time::timeout(stall, self.sink.send(last)).await;
                    return (code(end), end.as_str());
                }
            };
            for message in messages {
                match tokio::time::timeout(stall, self.sink.send(message)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => return (close_code::NORMAL, ""),
                    // The next turn finds that the connection took nothing for too long.
                    Err(_) => break,
                }
            }
        }
    }

    async fn close(&mut self, code: u16, reason: &'static str) {
        let frame = CloseFrame {
            code,
            reason: reason.into(),
        };
        let close = self.sink.send(Message::Close(Some(frame)));
        let _ = tokio::time::timeout(FAREWELL_MAX, close).await;
    }
}

/// The close code of an end (RFC 6455, section 7.4.1).
const fn code(end: End) -> u16 {
    match end {
        End::Slow | End::Expired => close_code::AGAIN,
        End::Shutdown => close_code::AWAY,
        End::Token => close_code::POLICY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_comes_from_the_service_itself_or_not_at_all() {
        for (origin, expected) in [
            (None, true),
            (Some("http://127.0.0.1:8080"), true),
            (Some("https://127.0.0.1:8080"), true),
            (Some("http://127.0.0.1"), false),
            (Some("https://evil.example"), false),
            (Some("null"), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, "127.0.0.1:8080".parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(ORIGIN, origin.parse().unwrap());
            }
            assert_eq!(own_origin(&headers), expected, "{origin:?}");
        }
    }
}
