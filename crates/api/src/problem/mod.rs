//! What the wire is told when something goes wrong: RFC 9457, with a stable code and a page.

mod code;
mod document;
mod page;
mod store;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

pub use code::Code;
pub(crate) use page::page;

use crate::edge::RequestIds;

/// Why a request was not done. Turned into a response by `?` in a handler; the edge of the server
/// writes the request's ids into it.
#[derive(Debug, Clone)]
pub struct Problem {
    code: Code,
    detail: String,
    errors: Vec<FieldError>,
    retry_after_s: Option<u32>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// One field of a request that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where: `jobs[3].priority`, or a place in a document.
    pub field: String,
    /// What, in one word.
    pub code: String,
    /// What, for people.
    pub detail: String,
}

/// A problem as it is sent: `application/problem+json` (RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProblemBody {
    /// The problem's page, relative to the service.
    #[schema(example = "/problems/lease-lost")]
    pub r#type: String,
    /// One line, the same for every problem of this code.
    pub title: String,
    /// The HTTP status.
    #[schema(example = 409)]
    pub status: u16,
    /// The stable code.
    #[schema(example = "LEASE_LOST")]
    pub code: String,
    /// What happened this time.
    pub detail: String,
    /// The trace this request belongs to: 32 hex digits.
    pub trace_id: String,
    /// The caller's name for what it was doing.
    pub correlation_id: String,
    /// The fields that cannot be taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

impl Problem {
    /// A problem of this code; `detail` is for people and holds no secret, SQL or path of ours.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let retry_after_s = match code {
            Code::Overloaded | Code::DatabaseUnavailable | Code::IdempotencyInProgress => Some(1),
            Code::StreamLimitReached => Some(5),
            _ => None,
        };
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_s,
            headers: Vec::new(),
        }
    }

    /// Nothing of that name for this tenant: also the answer for what belongs to somebody else.
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("there is no such {what}"))
    }

    /// The attempt is no longer the worker's.
    pub fn lease_lost() -> Self {
        Self::new(
            Code::LeaseLost,
            "the lease is held by somebody else, or by nobody any more",
        )
    }

    /// A request with one field that cannot be taken.
    pub fn field(field: impl Into<String>, code: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let field = field.into();
        Self::new(Code::RequestInvalid, format!("{field}: {detail}"))
            .with_error(field, code, detail)
    }

    /// Adds a field that cannot be taken.
    #[must_use]
    pub fn with_error(
        mut self,
        field: impl Into<String>,
        code: &str,
        detail: impl Into<String>,
    ) -> Self {
        self.errors.push(FieldError {
            field: field.into(),
            code: code.to_owned(),
            detail: detail.into(),
        });
        self
    }

    /// Says after how many seconds the request may be tried again.
    #[must_use]
    pub(crate) fn with_retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Adds a header to the response; it takes the place of one of the same name.
    #[must_use]
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The code.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// As it is sent, with the ids of the request it answers.
    pub fn body(&self, ids: &RequestIds) -> ProblemBody {
        ProblemBody {
            r#type: format!("/problems/{}", self.code.page()),
            title: self.code.title().to_owned(),
            status: self.code.status(),
            code: self.code.as_str().to_owned(),
            detail: self.detail.clone(),
            trace_id: ids.trace_id.clone(),
            correlation_id: ids.correlation_id.clone(),
            errors: self.errors.clone(),
        }
    }

    /// The whole response.
    pub(crate) fn response(&self, ids: &RequestIds) -> Response {
        let body = serde_json::to_vec(&self.body(ids)).expect("a problem is plain JSON");
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code == Code::Unauthenticated {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        response
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).expect("the table holds statuses")
    }
}

impl IntoResponse for Problem {
    /// The body is written by the edge of the server, which knows the request's ids.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
