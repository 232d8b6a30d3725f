//! Parameters of the URL: typed, and unknown ones refused.

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::{Code, Problem};

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
