//! What is made once at the start and served as it is: the document, and the pages drawn from it.

use std::fmt::Write as _;

use axum::body::Bytes;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jobengine_domain::digest::Digest;

/// Which contract this is: the version of the program that serves it.
const API_VERSION: HeaderName = HeaderName::from_static("api-version");
/// Which version of OpenAPI its document speaks.
const OPENAPI_VERSION: HeaderName = HeaderName::from_static("openapi-version");

/// Bytes that are the same for everybody until the service is another version.
#[derive(Debug, Clone)]
pub(crate) struct Asset {
    bytes: Bytes,
    media_type: &'static str,
    etag: HeaderValue,
    policy: HeaderValue,
}

impl Asset {
    /// A JSON document.
    pub(crate) fn json(text: String) -> Self {
        Self::new(
            text,
            "application/json",
            "default-src 'none'; frame-ancestors 'none'",
        )
    }

    /// A page that may use exactly the style and script it holds, and nothing from elsewhere.
    pub(super) fn page(text: String, style: &str, script: &str) -> Self {
        let mut policy = format!("default-src 'none'; style-src '{}'", source(style));
        if !script.is_empty() {
            let _ = write!(policy, "; script-src '{}'", source(script));
        }
        policy.push_str("; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
        Self::new(text, "text/html; charset=utf-8", &policy)
    }

    fn new(text: String, media_type: &'static str, policy: &str) -> Self {
        let etag = format!("\"{}\"", &Digest::of(text.as_bytes()).hex()[..32]);
        let header = |text: &str| HeaderValue::from_str(text).expect("hex and keywords are ASCII");
        Self {
            etag: header(&etag),
            policy: header(policy),
            bytes: text.into(),
            media_type,
        }
    }

    /// The answer to a request for it: nothing again for who has it already.
    pub(crate) fn answer(&self, request: &HeaderMap) -> Response {
        let held = request
            .get_all(IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|tag| tag.trim().trim_start_matches("W/"))
            .any(|tag| tag == "*" || tag.as_bytes() == self.etag.as_bytes());
        let mut response = if held {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            self.bytes.clone().into_response()
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        headers.insert(ETAG, self.etag.clone());
        // May be kept, but is asked for each time: the next version may be installed at any moment.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(CONTENT_SECURITY_POLICY, self.policy.clone());
        versions(headers);
        response
    }
}

/// Says which contract answers.
pub(crate) fn versions(headers: &mut HeaderMap) {
    let version = HeaderValue::from_static(env!("CARGO_PKG_VERSION"));
    headers.insert(API_VERSION, version);
    headers.insert(OPENAPI_VERSION, HeaderValue::from_static("3.1.0"));
}

/// How a content security policy names an inline text: by its digest.
fn source(text: &str) -> String {
    let digest = Digest::of(text.as_bytes());
    format!("sha256-{}", STANDARD.encode(digest.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_it_gets_nothing_again() {
        let asset = Asset::json("{}".to_owned());
        let status = |tag: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(tag) = tag {
                headers.insert(IF_NONE_MATCH, tag.parse().unwrap());
            }
            asset.answer(&headers).status().as_u16()
        };
        let own = asset.etag.to_str().unwrap();
        assert_eq!(status(None), 200);
        assert_eq!(status(Some("\"other\"")), 200);
        assert_eq!(status(Some(own)), 304);
        assert_eq!(status(Some(&format!("\"other\", W/{own}"))), 304);
        assert_eq!(status(Some("*")), 304);
    }
}
