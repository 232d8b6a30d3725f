//! JSON bodies, taken strictly: what two readers could understand differently is refused.

mod shape;

use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde::de::DeserializeOwned;

use crate::body::read;
use crate::problem::{Code, Problem};

pub(crate) use shape::check as check_shape;

/// Largest JSON body of an ordinary operation, in bytes.
pub(crate) const JSON_MAX_BYTES: usize = 256 * 1024;
/// Largest JSON body of an operation that takes a batch, in bytes.
pub(crate) const BULK_MAX_BYTES: usize = 4 * 1024 * 1024;

/// A JSON body of at most `CAP` bytes, read into `T`. `T` refuses unknown fields.
///
/// Refused are: another media type, a content encoding, more than 32 levels, a key that stands twice in an
/// object, NUL characters, more than 10,000 items or 1,000 keys in one place, numbers nobody can keep.
#[derive(Debug)]
pub(crate) struct JsonBody<T, const CAP: usize = JSON_MAX_BYTES>(pub T);

impl<S, T, const CAP: usize> FromRequest<S> for JsonBody<T, CAP>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        check_headers(request.headers())?;
        let bytes = read(request, CAP).await?;
        parse(&bytes).map(Self)
    }
}

/// Reads one JSON text strictly.
///
/// # Errors
/// `JSON_MALFORMED`, or `REQUEST_INVALID` with the place of the field.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    check_shape(bytes).map_err(|error| Problem::new(Code::JsonMalformed, error.to_string()))?;
    // Serde would take an array for a request whose fields stand in their order.
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(Problem::field("body", "TYPE", "a JSON object is expected"));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = match error.path().to_string() {
            place if place == "." => "body".to_owned(),
            place => place,
        };
        let detail = error.into_inner().to_string();
        let detail = detail.split(" at line ").next().unwrap_or_default();
        Problem::field(field, kind(detail), detail)
    })
}

fn check_headers(headers: &HeaderMap) -> Result<(), Problem> {
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    if !media_type.is_some_and(|name| name.eq_ignore_ascii_case("application/json")) {
        return Err(Problem::new(
            Code::MediaTypeUnsupported,
            "send application/json",
        ));
    }
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(Problem::new(
            Code::MediaTypeUnsupported,
            "this operation takes no content encoding",
        ));
    }
    Ok(())
}

/// The word for what serde found: its messages begin alike.
fn kind(detail: &str) -> &'static str {
    const KINDS: [(&str, &str); 4] = [
        ("unknown field", "UNKNOWN"),
        ("missing field", "MISSING"),
        ("invalid type", "TYPE"),
        ("unknown variant", "VALUE"),
    ];
    KINDS
        .iter()
        .find(|(start, _)| detail.starts_with(start))
        .map_or("VALUE", |(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::value::RawValue;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Request {
        jobs: Vec<Job>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Job {
        payload: Box<RawValue>,
        #[serde(default)]
        tries: u32,
    }

    #[test]
    fn a_raw_part_keeps_its_bytes() {
        let text = br#"{"jobs":[{"payload": { "b":1,  "a":[1.50] } ,"tries":3}]}"#;
        let request: Request = parse(text).unwrap();
        assert_eq!(request.jobs[0].payload.get(), r#"{ "b":1,  "a":[1.50] }"#);
        assert_eq!(request.jobs[0].tries, 3);
    }

    #[test]
    fn a_bad_field_is_named_with_its_place() {
        for (text, field, code) in [
            (r#"{"jobs":[{"payload":1,"x":1}]}"#, "jobs[0].x", "UNKNOWN"),
            (r#"{"jobs":[{"payload":1},{}]}"#, "jobs[1]", "MISSING"),
            (
                r#"{"jobs":[{"payload":1,"tries":"3"}]}"#,
                "jobs[0].tries",
                "TYPE",
            ),
            (
                r#"{"jobs":[{"payload":1,"tries":-3}]}"#,
                "jobs[0].tries",
                "VALUE",
            ),
            ("[[]]", "body", "TYPE"),
        ] {
            let problem = parse::<Request>(text.as_bytes()).unwrap_err();
            assert_eq!(problem.code(), Code::RequestInvalid, "{text}");
            let body = problem.body(&crate::edge::RequestIds {
                request_id: String::new(),
                trace_id: String::new(),
                span_id: String::new(),
                parent: None,
                correlation_id: String::new(),
            });
            assert_eq!(body.errors[0].field, field, "{text}");
            assert_eq!(
                body.errors[0].code, code,
                "{text}: {}",
                body.errors[0].detail
            );
        }
    }
}
