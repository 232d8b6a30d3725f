//! What an act is answered: kept as it was sent, so that a repeat gets the same bytes.

use axum::http::header::{CONTENT_TYPE, ETAG, LOCATION};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use jobengine_domain::digest::Digest;
use serde::Serialize;

/// An answer, and what it says was changed.
#[derive(Debug, Clone)]
pub(crate) struct Done {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Vec<u8>,
    kind: &'static str,
    id: String,
    before: Option<Digest>,
    after: Option<Digest>,
    replayed: bool,
}

/// The headers that are kept with an answer.
const KEPT: [HeaderName; 2] = [LOCATION, ETAG];

impl Done {
    /// 200 with a body.
    pub(crate) fn ok(body: impl Serialize) -> Self {
        Self::with(StatusCode::OK, &body)
    }

    /// 201 with a body.
    pub(crate) fn created(body: impl Serialize) -> Self {
        Self::with(StatusCode::CREATED, &body)
    }

    /// 202 with a body.
    pub(crate) fn accepted(body: impl Serialize) -> Self {
        Self::with(StatusCode::ACCEPTED, &body)
    }

    /// 204.
    pub(crate) fn no_content() -> Self {
        Self::bytes(StatusCode::NO_CONTENT, Vec::new())
    }

    fn with(status: StatusCode, body: &impl Serialize) -> Self {
        Self::bytes(
            status,
            serde_json::to_vec(body).expect("an answer is plain JSON"),
        )
    }

    fn bytes(status: StatusCode, body: Vec<u8>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body,
            kind: "",
            id: String::new(),
            before: None,
            after: None,
            replayed: false,
        }
    }

    /// Which object was changed.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "an id is handed over as it is at hand, by value or by name"
    )]
    #[must_use]
    pub(crate) fn of(mut self, kind: &'static str, id: impl ToString) -> Self {
        self.kind = kind;
        self.id = id.to_string();
        self
    }

    /// The digest of the object as it was.
    #[must_use]
    pub(crate) fn before(mut self, digest: Digest) -> Self {
        self.before = Some(digest);
        self
    }

    /// The digest of the object as it is now; that of the answer unless said otherwise.
    #[must_use]
    pub(crate) fn after(mut self, digest: Digest) -> Self {
        self.after = Some(digest);
        self
    }

    /// With a `Location` or `ETag`.
    #[must_use]
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        debug_assert!(KEPT.contains(&name), "{name} is not kept");
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// The body, as it is sent.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(super) const fn kind(&self) -> &'static str {
        self.kind
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) const fn digest_before(&self) -> Option<Digest> {
        self.before
    }

    pub(super) fn digest_after(&self) -> Option<Digest> {
        let body = (!self.body.is_empty()).then(|| Digest::of(&self.body));
        self.after.or(body)
    }

    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) const fn is_replayed(&self) -> bool {
        self.replayed
    }

    /// The answer as it is kept: a line of headers, then the body.
    pub(super) fn to_stored(&self) -> Vec<u8> {
        let headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
            .collect();
        let mut bytes = serde_json::to_vec(&headers).expect("headers are plain text");
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Reads what [`Self::to_stored`] made.
    pub(super) fn stored(status: u16, bytes: &[u8]) -> Option<Self> {
        let line = bytes.iter().position(|byte| *byte == b'\n')?;
        let headers: Vec<(String, String)> = serde_json::from_slice(&bytes[..line]).ok()?;
        let mut done = Self::bytes(
            StatusCode::from_u16(status).ok()?,
            bytes[line + 1..].to_vec(),
        );
        for (name, value) in headers {
            done = done.header(name.parse().ok()?, &value);
        }
        done.replayed = true;
        Some(done)
    }
}

impl IntoResponse for Done {
    fn into_response(self) -> Response {
        let has_body = !self.body.is_empty();
        let mut response = (self.status, self.body).into_response();
        let headers = response.headers_mut();
        headers.remove(CONTENT_TYPE);
        if has_body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        headers.extend(self.headers);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_whole() {
        let done = Done::created(serde_json::json!({"a": "1\n2"})).header(LOCATION, "/jobs/7");
        let kept = Done::stored(201, &done.to_stored()).unwrap();
        assert!(kept.is_replayed() && !done.is_replayed());
        assert_eq!((kept.status, &kept.body), (done.status, &done.body));
        assert_eq!(kept.headers, done.headers);
        assert!(Done::stored(201, b"[]").is_none());
    }
}
