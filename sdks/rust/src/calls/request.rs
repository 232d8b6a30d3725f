//! Any operation of the contract, for those that have no method of their own.

use std::time::Duration;

use reqwest::{Method, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::call::{Call, failed};
use crate::client::Client;
use crate::document::Document;
use crate::error::Error;

/// An answer that says nothing for so long does not come any more.
const SILENCE_MAX: Duration = Duration::from_mins(1);

/// A request to an operation of the contract.
#[derive(Debug, Clone)]
pub struct Request {
    method: Method,
    path: Vec<String>,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<(String, Document)>,
}

impl Request {
    /// A request to a path below the server's base, a segment each: `["api", "v1", …]`.
    pub fn new<S: Into<String>>(method: Method, path: impl IntoIterator<Item = S>) -> Self {
        Self {
            method,
            path: path.into_iter().map(Into::into).collect(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    /// Adds a header: `X-Stella-Operator-Reason`, or an `Idempotency-Key` of the caller's own, so that a repeat
    /// by another process changes nothing either.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sends JSON.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.document("application/json", Document::bytes(body.to_string()))
    }

    /// Sends a document as it is.
    #[must_use]
    pub fn document(mut self, media_type: &str, document: Document) -> Self {
        self.body = Some((media_type.to_owned(), document));
        self
    }
}

impl Client {
    /// Sends a request, repeats it where that may help (its key makes that harmless), and reads the answer.
    /// An answer without a body is `null`.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn request<T: DeserializeOwned>(&self, request: Request) -> Result<T, Error> {
        let bytes = self.request_bytes(request).await?;
        let json = if bytes.is_empty() {
            b"null"
        } else {
            bytes.as_ref()
        };
        serde_json::from_slice(json).map_err(|error| Error::Answer {
            status: 200,
            detail: error.to_string(),
        })
    }

    /// As [`Client::request`]; the answer's bytes as they are.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn request_bytes(&self, request: Request) -> Result<bytes::Bytes, Error> {
        self.put_together(request).bytes().await
    }

    /// As [`Client::request`]; the answer is written as it comes, whatever its length, and is never held as a
    /// whole. It is not asked for again once it has begun. Returns how many bytes it had.
    ///
    /// # Errors
    /// [`Error`]; [`Error::Write`] when the writer fails. Part of the answer may be written then.
    pub async fn request_into(
        &self,
        request: Request,
        writer: &mut (impl AsyncWrite + Unpin + ?Sized),
    ) -> Result<u64, Error> {
        let response = self.put_together(request).open().await?;
        write_out(response, writer).await
    }

    fn put_together(&self, request: Request) -> Call<'_> {
        let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
        let mut call = self.call(request.method, &path).harmless();
        for (name, value) in &request.query {
            call = call.query(name, Some(value));
        }
        for (name, value) in &request.headers {
            call = call.header(name, value);
        }
        if let Some((media_type, document)) = request.body {
            call = call.document(&media_type, document);
        }
        call
    }
}

/// Writes an answer as it comes; how many bytes it had.
pub(super) async fn write_out(
    mut response: Response,
    writer: &mut (impl AsyncWrite + Unpin + ?Sized),
) -> Result<u64, Error> {
    let mut written = 0;
    loop {
        let chunk = tokio::time::timeout(SILENCE_MAX, response.chunk()).await;
        let Some(bytes) = chunk.map_err(|_| Error::Silent)?.map_err(failed)? else {
            break;
        };
        writer.write_all(&bytes).await.map_err(Error::Write)?;
        written += bytes.len() as u64;
    }
    writer.flush().await.map_err(Error::Write)?;
    Ok(written)
}
