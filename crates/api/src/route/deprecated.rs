//! Operations that will go away, and where to go instead.

use axum::extract::{FromRequestParts as _, RawPathParams};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// What stands in a segment of a path as it is (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// An operation that will go away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Deprecated {
    /// Since when it is deprecated, in seconds since 1970 (RFC 9745).
    since: i64,
    /// When it goes away, as an HTTP date (RFC 8594).
    sunset: String,
    /// The path of what replaces it; its parameters have the names of those of the old path.
    successor: String,
}

impl Deprecated {
    /// Reads the declaration of the operation at `path`.
    ///
    /// # Errors
    /// What is wrong with it, for the panic of the route table.
    pub(super) fn read(path: &str, declared: &Value) -> Result<Self, String> {
        let text = |name: &str| declared[name].as_str().map(str::to_owned);
        let whole = || {
            Some(Self {
                since: declared["since"].as_i64()?,
                sunset: text("sunset")?,
                successor: text("successor")?,
            })
        };
        let read = whole().ok_or("declares an x-deprecated without since, sunset or successor")?;
        let strange = |name: &&str| !path.contains(&format!("{{{name}}}"));
        if let Some(name) = parameters(&read.successor).find(strange) {
            return Err(format!(
                "has a successor with a {name}, which it does not have itself"
            ));
        }
        Ok(read)
    }

    /// What replaces the request: the successor's address with the values of this request.
    pub(super) async fn successor_of(&self, parts: &mut Parts) -> String {
        let given = RawPathParams::from_request_parts(parts, &()).await.ok();
        let given = given.iter().flatten();
        given.fold(self.successor.clone(), |path, (name, value)| {
            let value = utf8_percent_encode(value, RESERVED).to_string();
            path.replace(&format!("{{{name}}}"), &value)
        })
    }

    /// Says that the operation will go away (RFC 9745, RFC 8594), and where to go instead.
    pub(super) fn announce(&self, successor: &str, headers: &mut HeaderMap) {
        for (name, value) in [
            ("deprecation", format!("@{}", self.since)),
            ("sunset", self.sunset.clone()),
            ("link", format!("<{successor}>; rel=\"successor-version\"")),
        ] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

/// The parameters of a path.
fn parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('{')
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('}')?.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_successor_is_addressed_by_what_the_request_names() {
        let declared = |successor: &str| json!({"since": 1, "sunset": "Wed, 30 Jun 2027 00:00:00 GMT", "successor": successor});
        let read = |path: &str, successor: &str| Deprecated::read(path, &declared(successor));
        assert!(read("/jobs/{jobId}/detail", "/v2/jobs/{jobId}").is_ok());
        assert!(read("/jobs/summary", "/v2/jobs").is_ok());
        let complaint = read("/jobs/{id}/detail", "/v2/jobs/{jobId}").unwrap_err();
        assert!(complaint.contains("jobId"), "{complaint}");
        assert!(Deprecated::read("/jobs", &json!({"since": 1})).is_err());
    }
}
