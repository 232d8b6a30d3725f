//! Versions of objects that several people may change: sent as `ETag`, asked for as `If-Match`.

use axum::extract::FromRequestParts;
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;

use crate::problem::{Code, Problem};

/// The version that a change is meant for, out of `If-Match: "7"`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IfMatch(u64);

/// A version as `ETag` has it.
pub(crate) fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

impl IfMatch {
    /// Refuses a change that is meant for another version than the one that stands.
    ///
    /// # Errors
    /// `PRECONDITION_FAILED`.
    pub(crate) fn check(self, standing: u64) -> Result<u64, Problem> {
        if self.0 == standing {
            return Ok(standing);
        }
        Err(Problem::new(
            Code::PreconditionFailed,
            "somebody changed it since you read it; read it again",
        ))
    }
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(header) = parts.headers.get(IF_MATCH) else {
            let detail = "send the ETag that you read as If-Match";
            return Err(Problem::new(Code::PreconditionRequired, detail));
        };
        let version = header
            .to_str()
            .ok()
            .and_then(|text| text.strip_prefix('"')?.strip_suffix('"')?.parse().ok());
        // A tag that is none of ours fits no version.
        version.map(Self).ok_or_else(|| {
            Problem::new(Code::PreconditionFailed, "If-Match is not one of our ETags")
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    async fn read(header: Option<&str>) -> Result<u64, u16> {
        let mut request = Request::get("/");
        if let Some(header) = header {
            request = request.header(IF_MATCH, header);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        IfMatch::from_request_parts(&mut parts, &())
            .await
            .and_then(|given| given.check(7))
            .map_err(|problem| problem.code().status())
    }

    #[tokio::test]
    async fn a_change_is_meant_for_one_version() {
        assert_eq!(read(Some("\"7\"")).await, Ok(7));
        assert_eq!(read(None).await, Err(428));
        for other in ["\"6\"", "7", "W/\"7\"", "*"] {
            assert_eq!(read(Some(other)).await, Err(412), "{other}");
        }
    }
}
