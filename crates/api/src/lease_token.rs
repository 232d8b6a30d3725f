//! `X-Lease-Token`: proof of holding a lease where no body can carry it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use jobengine_domain::id;
use jobengine_store::LeaseToken;

use crate::problem::{Code, Problem};

const HEADER: &str = "x-lease-token";

/// The lease token of a request's header.
#[derive(Debug)]
pub(crate) struct LeaseTokenHeader(pub LeaseToken);

impl<S: Sync> FromRequestParts<S> for LeaseTokenHeader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let text = parts
            .headers
            .get(HEADER)
            .and_then(|value| value.to_str().ok());
        let token = text.and_then(|text| id::parse(text).ok());
        let token = token.ok_or_else(|| {
            Problem::new(
                Code::ParameterInvalid,
                "the header X-Lease-Token holds the lease token of the grant",
            )
        })?;
        Ok(Self(LeaseToken::from_uuid(token)))
    }
}
