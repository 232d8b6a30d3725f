//! Parameters of the URL: typed, and unknown ones refused.

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use crate::problem::{Code, Problem};

/// A NUL in a URL, which has no other way to say it.
const NUL: &str = "%00";

/// Refuses what PostgreSQL holds in no text, and what two readers could understand differently.
fn check(query: &str) -> Result<(), &'static str> {
    if query.contains(NUL) {
        return Err("a NUL may stand in no text");
    }
    match percent_decode_str(query).decode_utf8() {
        Ok(_) => Ok(()),
        Err(_) => Err("the query is not UTF-8"),
    }
}

/// What stands in the path's places.
#[derive(Debug)]
pub(crate) struct PathParams<T>(pub T);

/// The query string. `T` refuses unknown fields.
#[derive(Debug)]
pub(crate) struct QueryParams<T>(pub T);

impl<S, T> FromRequestParts<S> for PathParams<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Send,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if parts.uri.path().contains(NUL) {
            let detail = "a NUL may stand in no text";
            return Err(Problem::new(Code::ParameterInvalid, detail));
        }
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(Problem::new(
                Code::ParameterInvalid,
                rejection.body_text().replace("Invalid URL: ", ""),
            )),
        }
    }
}

impl<S, T> FromRequestParts<S> for QueryParams<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let refuse = |detail: String| Problem::new(Code::ParameterInvalid, detail);
        check(parts.uri.query().unwrap_or_default()).map_err(|detail| refuse(detail.to_owned()))?;
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(refuse(
                rejection
                    .body_text()
                    .replace("Failed to deserialize query string: ", ""),
            )),
        }
    }
}
