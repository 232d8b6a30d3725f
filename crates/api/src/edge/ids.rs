//! The names of one request: for the client, for traces and for whoever started it all.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use jobengine_domain::trace::TraceContext;
use uuid::Uuid;

use crate::clock;

/// The client's name for a request; ours is made when it has none.
pub(crate) const REQUEST_ID: &str = "x-request-id";
/// The caller's name for what it is doing, across many requests.
pub(crate) const CORRELATION_ID: &str = "x-correlation-id";

/// The names of one request. They are data, never authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestIds {
    /// Of this request.
    pub request_id: String,
    /// Of the trace it belongs to: 32 hex digits (W3C Trace Context).
    pub trace_id: String,
    /// Of its part in that trace: 16 hex digits.
    pub span_id: String,
    /// What it is a part of, as the client says.
    pub parent: Option<TraceContext>,
    /// Of whatever the caller is doing; the request's own id when it names nothing.
    pub correlation_id: String,
}

impl RequestIds {
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let fresh: Uuid = jobengine_store::draw(clock::wall());
        let fresh = fresh.simple().to_string();
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let request_id = text(REQUEST_ID).filter(|id| is_id(id, 8, 64));
        let request_id = request_id.map_or_else(|| fresh.clone(), str::to_owned);
        let correlation_id = text(CORRELATION_ID).filter(|id| is_id(id, 1, 128));
        let parent = text("traceparent").and_then(|header| header.parse().ok());
        let parent: Option<TraceContext> = parent;
        Self {
            correlation_id: correlation_id.map_or_else(|| request_id.clone(), str::to_owned),
            span_id: fresh[16..].to_owned(),
            trace_id: parent.map_or(fresh, |parent| format!("{:032x}", parent.trace)),
            parent,
            request_id,
        }
    }

    /// Whether the trace is recorded: as the client says, and by default.
    pub fn is_sampled(&self) -> bool {
        self.parent.is_none_or(|parent| parent.sampled)
    }

    /// This request as a span of its trace.
    pub(crate) fn span(&self) -> Option<TraceContext> {
        self.traceparent().parse().ok()
    }

    /// The trace as it goes on from here (W3C Trace Context).
    pub fn traceparent(&self) -> String {
        let flags = u8::from(self.is_sampled());
        format!("00-{}-{}-{flags:02x}", self.trace_id, self.span_id)
    }
}

impl<S: Sync> FromRequestParts<S> for RequestIds {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts
            .extensions
            .get()
            .cloned()
            .unwrap_or_else(|| Self::read(&parts.headers)))
    }
}

fn is_id(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &'static str, value: &str) -> RequestIds {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        RequestIds::read(&headers)
    }

    #[test]
    fn a_sound_id_of_the_client_is_kept() {
        assert_eq!(read(REQUEST_ID, "abcdefgh-1").request_id, "abcdefgh-1");
        assert_eq!(read(CORRELATION_ID, "c-81").correlation_id, "c-81");
        for bad in ["short", "has space in it", &"x".repeat(65), "a\tbcdefgh"] {
            assert_ne!(read(REQUEST_ID, bad).request_id, bad);
        }
    }

    #[test]
    fn a_trace_goes_on_when_it_is_sound() {
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let header = format!("00-{trace}-b7ad6b7169203331-01");
        assert_eq!(read("traceparent", &header).trace_id, trace);
        for bad in [
            header.replace("00-", "ff-"),
            header.to_uppercase(),
            format!("{header}-x"),
            format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)),
        ] {
            let ids = read("traceparent", &bad);
            assert_ne!(ids.trace_id, trace);
            assert_eq!(ids.trace_id.len(), 32);
        }
    }
}
