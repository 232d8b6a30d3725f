//! Jobs without end: sent as they come, answered while they are sent.

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Body, Method, Response};

use crate::call::failed;
use crate::client::Client;
use crate::error::Error;
use crate::wire::job::{NewJob, SubmittedLine};

const NDJSON: &str = "application/x-ndjson";
/// One answer is never longer.
const LINE_MAX_BYTES: usize = 256 * 1024;

/// Streams of jobs.
impl Client {
    /// Submits any number of jobs, one a line, each for itself: a job that cannot be taken is answered with its
    /// problem and holds up nobody. The jobs are taken from the iterator only as the server reads on, and it reads
    /// on only as its answers are taken with [`JobStream::next`].
    ///
    /// `key` is the caller's name for the whole stream. When the connection breaks off, send the same jobs again under
    /// the same key: what was written is answered as it was, and nothing is submitted twice.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn jobs_stream<I>(&self, key: &str, jobs: I) -> Result<JobStream, Error>
    where
        I: IntoIterator<Item = NewJob>,
        I::IntoIter: Send + 'static,
    {
        let lines = jobs.into_iter().map(|job| line(&job));
        let body = Body::wrap_stream(stream::iter(lines));
        let mut call = self
            .orchestrator(Method::POST, &["jobs", "stream"])
            .header("idempotency-key", key);
        let types = [
            (CONTENT_TYPE, HeaderValue::from_static(NDJSON)),
            (
                ACCEPT,
                HeaderValue::from_static("application/x-ndjson, application/problem+json"),
            ),
        ];
        call.headers_mut().extend(types);
        Ok(JobStream {
            response: call.open_with(body).await?,
            unread: BytesMut::new(),
        })
    }
}

/// The answers to a stream of jobs, as they come.
#[derive(Debug)]
pub struct JobStream {
    response: Response,
    unread: BytesMut,
}

impl JobStream {
    /// What became of the next line; `None` when there are no more. May not be dropped before it is done, or what it
    /// has read is lost.
    ///
    /// # Errors
    /// [`Error::Interrupted`] when the connection is lost, [`Error::Answer`] for what is no answer of ours.
    pub async fn next(&mut self) -> Result<Option<SubmittedLine>, Error> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line = self.unread.split_to(end + 1);
                let answer = serde_json::from_slice(&line);
                return answer
                    .map(Some)
                    .map_err(|error| self.foreign(&error.to_string()));
            }
            if self.unread.len() > LINE_MAX_BYTES {
                return Err(self.foreign("an answer is longer than any of ours"));
            }
            match self.response.chunk().await.map_err(failed)? {
                Some(bytes) => self.unread.extend_from_slice(&bytes),
                None if self.unread.is_empty() => return Ok(None),
                None => return Err(self.foreign("it ends within an answer")),
            }
        }
    }

    fn foreign(&self, detail: &str) -> Error {
        Error::Answer {
            status: self.response.status().as_u16(),
            detail: detail.to_owned(),
        }
    }
}

fn line(job: &NewJob) -> Result<Bytes, serde_json::Error> {
    let mut line = serde_json::to_vec(job)?;
    line.push(b'\n');
    Ok(line.into())
}
