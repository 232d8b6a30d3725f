//! Documents as they are uploaded: read within a bound, unpacked, and parsed off the request's thread.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_ENCODING;
use jobengine_impact::document::{DocumentCode, DocumentError};

use super::unpack::{Encoding, unpack};
use crate::body::read;
use crate::heavy::heavy;
use crate::problem::{Code, Problem};

/// A document of at most `CAP` bytes, packed and unpacked. What it is, its bytes say and not its
/// media type.
#[derive(Debug)]
pub(super) struct Upload<const CAP: usize>(pub Bytes);

impl<S: Send + Sync, const CAP: usize> FromRequest<S> for Upload<CAP> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let encoding = encoding(request.headers())?;
        let body = read(request, CAP).await.map_err(refused::<CAP>)?;
        let Some(encoding) = encoding else {
            return Ok(Self(body));
        };
        let unpacked = heavy(move || unpack(&body, encoding, CAP)).await??;
        Ok(Self(unpacked.into()))
    }
}

/// A document beyond the bound is refused as a document, like any other that cannot be taken.
fn refused<const CAP: usize>(problem: Problem) -> Problem {
    if problem.code() != Code::BodyTooLarge {
        return problem;
    }
    let detail = format!("more than {CAP} bytes, which is all that is read");
    let place = format!("byte {CAP}");
    DocumentError::new(DocumentCode::TooLarge, place, detail).into()
}

fn encoding(headers: &HeaderMap) -> Result<Option<Encoding>, Problem> {
    let mut named = headers.get_all(CONTENT_ENCODING).into_iter();
    let Some(value) = named.next() else {
        return Ok(None);
    };
    let name = value
        .to_str()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match (name.as_str(), named.next()) {
        ("zstd", None) => Ok(Some(Encoding::Zstd)),
        ("gzip", None) => Ok(Some(Encoding::Gzip)),
        ("identity", None) => Ok(None),
        _ => Err(Problem::new(
            Code::MediaTypeUnsupported,
            "pack documents with zstd or gzip, once, or not at all",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_known_encoding_or_none_is_taken() {
        let check = |values: &[&'static str], expected: Option<Option<Encoding>>| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, value.parse().unwrap());
            }
            assert_eq!(encoding(&headers).ok(), expected, "{values:?}");
        };
        check(&[], Some(None));
        check(&["identity"], Some(None));
        check(&["ZSTD"], Some(Some(Encoding::Zstd)));
        check(&["gzip"], Some(Some(Encoding::Gzip)));
        check(&["br"], None);
        check(&["gzip, gzip"], None);
        check(&["gzip", "zstd"], None);
    }
}
