//! Bodies: read to the end, within a number of bytes and without long pauses.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_LENGTH;
use futures_util::StreamExt as _;
use tokio::time::Instant;

use crate::act::Fingerprint;
use crate::problem::{Code, Problem};

/// A client that sends nothing for so long, or less than [`LEAST_BYTES`], is not waited for.
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// A kilobyte a second.
const LEAST_BYTES: usize = 10 * 1024;

/// A body of at most `CAP` bytes, as it came.
#[derive(Debug)]
pub(crate) struct RawBody<const CAP: usize>(pub Bytes);

impl<S: Send + Sync, const CAP: usize> FromRequest<S> for RawBody<CAP> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        read(request, CAP).await.map(Self)
    }
}

/// Reads a body of at most `cap` bytes.
///
/// # Errors
/// `BODY_TOO_LARGE`, or `REQUEST_TIMEOUT` when it did not come in time or broke off.
pub(crate) async fn read(request: Request, cap: usize) -> Result<Bytes, Problem> {
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > cap) {
        return Err(too_large(cap));
    }
    let (head, body) = request.into_parts();
    let bytes = collect(body, cap, announced.unwrap_or(0)).await?;
    if let Some(fingerprint) = head.extensions.get::<Fingerprint>() {
        fingerprint.note(&bytes);
    }
    Ok(bytes)
}

async fn collect(body: Body, cap: usize, announced: usize) -> Result<Bytes, Problem> {
    let mut chunks = body.into_data_stream();
    let mut first = Bytes::new();
    let mut all = Vec::new();
    let mut pace = Pace::start();
    loop {
        let chunk = tokio::time::timeout_at(pace.due, chunks.next()).await;
        let came = chunk.as_ref().map_or(0, |chunk| match chunk {
            Some(Ok(chunk)) => chunk.len(),
            Some(Err(_)) | None => 0,
        });
        pace.keep(came)?;
        let Ok(chunk) = chunk else { continue };
        let Some(chunk) = chunk else { break };
        let chunk = chunk.map_err(|_| {
            Problem::new(Code::RequestTimeout, "the connection broke off in the body")
        })?;
        if first.len() + all.len() + chunk.len() > cap {
            return Err(too_large(cap));
        }
        if first.is_empty() && all.is_empty() {
            first = chunk;
            continue;
        }
        if all.is_empty() {
            all.reserve(announced);
            all.extend_from_slice(&std::mem::take(&mut first));
        }
        all.extend_from_slice(&chunk);
    }
    Ok(if all.is_empty() { first } else { all.into() })
}

/// How fast a body comes.
struct Pace {
    due: Instant,
    bytes: usize,
}

impl Pace {
    fn start() -> Self {
        Self {
            due: Instant::now() + PAUSE_MAX,
            bytes: 0,
        }
    }

    /// Counts what came; at the end of each pause it must have been enough.
    fn keep(&mut self, came: usize) -> Result<(), Problem> {
        self.bytes += came;
        if Instant::now() < self.due {
            return Ok(());
        }
        if self.bytes < LEAST_BYTES {
            let seconds = PAUSE_MAX.as_secs();
            let detail = format!("less than {LEAST_BYTES} bytes came in {seconds} s");
            return Err(Problem::new(Code::RequestTimeout, detail));
        }
        *self = Self::start();
        Ok(())
    }
}

fn too_large(cap: usize) -> Problem {
    Problem::new(
        Code::BodyTooLarge,
        format!("at most {cap} bytes are taken here"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    async fn collected(chunks: &[&'static str], cap: usize) -> Result<Bytes, Code> {
        let chunks: Vec<Result<Bytes, std::io::Error>> = chunks
            .iter()
            .map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())))
            .collect();
        collect(Body::from_stream(stream::iter(chunks)), cap, 0)
            .await
            .map_err(|problem| problem.code())
    }

    #[tokio::test]
    async fn chunks_are_joined_up_to_the_cap() {
        assert_eq!(collected(&[], 9).await.unwrap(), "");
        assert_eq!(collected(&["abc"], 9).await.unwrap(), "abc");
        assert_eq!(
            collected(&["abc", "def", "ghi"], 9).await.unwrap(),
            "abcdefghi"
        );
        assert_eq!(
            collected(&["abc", "defg"], 6).await.unwrap_err(),
            Code::BodyTooLarge
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_pauses_is_not_waited_for() {
        let body = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let problem = collect(body, 9, 0).await.unwrap_err();
        assert_eq!(problem.code(), Code::RequestTimeout);
    }

    /// A body of chunks of this size, one a second.
    async fn dripped(bytes: usize, seconds: u64) -> Result<Bytes, Problem> {
        let chunks = stream::unfold(0, move |at| async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let chunk: Result<Bytes, std::io::Error> = Ok(vec![0; bytes].into());
            (at < seconds).then_some((chunk, at + 1))
        });
        collect(Body::from_stream(chunks), 1 << 20, 0).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_is_not_waited_for() {
        let problem = dripped(1, 60).await.unwrap_err();
        assert_eq!(problem.code(), Code::RequestTimeout);
        assert_eq!(dripped(2 * 1024, 60).await.unwrap().len(), 60 * 2 * 1024);
    }
}
