//! One call: a request, its repetition within bounds, and its answer.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    RETRY_AFTER,
};
use reqwest::{Method, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::document::Document;
use crate::draw;
use crate::error::{Error, Problem};

/// Bytes of one answer, unless the call allows more.
const ANSWER_MAX_BYTES: usize = 64 * 1024 * 1024;

/// How much of a foreign answer is quoted.
const QUOTE_CHARS: usize = 200;

/// How often a call was tried, and since when.
struct Tries {
    started: Instant,
    tried: u32,
}

/// A call that is being put together.
pub(crate) struct Call<'c> {
    client: &'c Client,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Document>,
    harmless: bool,
    timeout: Duration,
    answer_max: usize,
    broken: Option<Error>,
}

impl<'c> Call<'c> {
    pub(crate) fn new(client: &'c Client, method: Method, url: Url) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(
            ACCEPT,
            HeaderValue::from_static("application/json, application/problem+json"),
        );
        if let Some(tenant) = client.tenant() {
            headers.insert(HeaderName::from_static("x-stella-tenant"), tenant.clone());
        }
        if method == Method::POST {
            // The client's own name for this request: the same in every try.
            let key = HeaderValue::from_str(&draw::id().to_string()).expect("a UUID is ASCII");
            headers.insert(HeaderName::from_static("idempotency-key"), key);
        }
        Self {
            client,
            harmless: method != Method::POST,
            method,
            url,
            headers,
            body: None,
            timeout: client.timeout(),
            answer_max: ANSWER_MAX_BYTES,
            broken: None,
        }
    }

    /// Adds a query parameter, where there is a value.
    pub(crate) fn query(mut self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        if let Some(value) = value {
            self.url.query_pairs_mut().append_pair(name, value.as_ref());
        }
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        let pair = (name.parse::<HeaderName>(), HeaderValue::from_str(value));
        if let (Ok(name), Ok(mut value)) = pair {
            value.set_sensitive(true);
            self.headers.insert(name, value);
        } else {
            let why = format!("`{name}` cannot stand in a header");
            self.broken = Some(Error::Settings(why));
        }
        self
    }

    pub(crate) fn json(self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.document("application/json", Document::bytes(bytes)),
            Err(error) => Self {
                broken: Some(Error::Request(error)),
                ..self
            },
        }
    }

    pub(crate) fn document(mut self, media_type: &str, document: Document) -> Self {
        if let Some(encoding) = document.encoding() {
            let value = HeaderValue::from_static(encoding.as_str());
            self.headers.insert(CONTENT_ENCODING, value);
        }
        if let Ok(value) = HeaderValue::from_str(media_type) {
            self.headers.insert(CONTENT_TYPE, value);
        } else {
            let why = format!("`{media_type}` is not a media type");
            self.broken = Some(Error::Settings(why));
        }
        self.body = Some(document);
        self
    }

    pub(crate) const fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }

    /// Says that the server acting twice on this call does no harm.
    pub(crate) fn harmless(self) -> Self {
        Self {
            harmless: true,
            ..self
        }
    }

    pub(crate) fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    pub(crate) fn answer_max(self, answer_max: usize) -> Self {
        Self { answer_max, ..self }
    }

    /// Sends the call, repeats it where that may help, and reads the answer.
    pub(crate) async fn send<T: DeserializeOwned>(self) -> Result<T, Error> {
        let (status, bytes) = self.exchange().await?;
        serde_json::from_slice(&bytes).map_err(|error| Error::Answer {
            status: status.as_u16(),
            detail: error.to_string(),
        })
    }

    /// As [`Self::send`]; the answer's bytes as they are.
    pub(crate) async fn bytes(self) -> Result<Bytes, Error> {
        self.exchange().await.map(|(_, bytes)| bytes)
    }

    #[cfg(test)]
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    async fn exchange(mut self) -> Result<(StatusCode, Bytes), Error> {
        let mut tries = self.begin()?;
        loop {
            let error = match self.try_with_token(true).await {
                Ok(response) => {
                    let status = response.status();
                    match read(response, self.answer_max).await {
                        Ok(bytes) => return Ok((status, bytes)),
                        Err(error) => error,
                    }
                }
                Err(error) => error,
            };
            self.pause(&mut tries, error).await?;
        }
    }

    /// Sends the call, repeats it until there is an answer, and hands that over as it comes: it may go on for
    /// ever.
    pub(crate) async fn open(mut self) -> Result<Response, Error> {
        let mut tries = self.begin()?;
        loop {
            match self.try_with_token(false).await {
                Ok(response) => return Ok(response),
                Err(error) => self.pause(&mut tries, error).await?,
            }
        }
    }

    /// Sends the call once with a body that cannot be sent again, and hands the answer over as it comes.
    pub(crate) async fn open_with(mut self, body: reqwest::Body) -> Result<Response, Error> {
        self.begin()?;
        let bearer = match self.client.token() {
            Some(token) => token.bearer(None).await?,
            None => None,
        };
        let request = self.request(bearer.as_ref()).await?.body(body);
        self.answered(request, false).await
    }

    fn begin(&mut self) -> Result<Tries, Error> {
        match self.broken.take() {
            Some(error) => Err(error),
            None => Ok(Tries {
                started: Instant::now(),
                tried: 0,
            }),
        }
    }

    /// Waits for the next try, or fails with what made the last one fail.
    async fn pause(&self, tries: &mut Tries, error: Error) -> Result<(), Error> {
        if !error.passing(self.harmless) {
            return Err(error);
        }
        tries.tried += 1;
        let policy = self.client.retry();
        match policy.pause(tries.tried, tries.started.elapsed(), error.retry_after()) {
            Some(pause) => {
                tokio::time::sleep(pause).await;
                Ok(())
            }
            None => Err(error),
        }
    }

    /// One try; two when the token was refused and there is a new one.
    async fn try_with_token(&self, whole: bool) -> Result<Response, Error> {
        let Some(token) = self.client.token() else {
            return self.answered(self.request(None).await?, whole).await;
        };
        let bearer = token.bearer(None).await?;
        let request = self.request(bearer.as_ref()).await?;
        match self.answered(request, whole).await {
            Err(error) if error.status() == Some(401) => {
                match token.bearer(bearer.as_ref()).await? {
                    Some(renewed) => {
                        let request = self.request(Some(&renewed)).await?;
                        self.answered(request, whole).await
                    }
                    None => Err(error),
                }
            }
            result => result,
        }
    }

    /// The answer's head. The time allowed is for all of the answer when it is wanted as a `whole`.
    async fn answered(
        &self,
        request: reqwest::RequestBuilder,
        whole: bool,
    ) -> Result<Response, Error> {
        let response = if whole {
            request.timeout(self.timeout).send().await
        } else {
            let response = tokio::time::timeout(self.timeout, request.send()).await;
            response.map_err(|_| Error::Silent)?
        };
        let response = response.map_err(failed)?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let retry_after = retry_after(response.headers());
        let bytes = tokio::time::timeout(self.timeout, read(response, self.answer_max)).await;
        Err(refusal(
            status,
            &bytes.map_err(|_| Error::Silent)??,
            retry_after,
        ))
    }

    async fn request(
        &self,
        bearer: Option<&HeaderValue>,
    ) -> Result<reqwest::RequestBuilder, Error> {
        let mut request = self
            .client
            .http()
            .request(self.method.clone(), self.url.clone())
            .headers(self.headers.clone());
        if let Some(bearer) = bearer {
            request = request.header(AUTHORIZATION, bearer);
        }
        if let Some(document) = &self.body {
            request = request.body(document.body().await?);
        }
        Ok(request)
    }
}

pub(crate) fn failed(error: reqwest::Error) -> Error {
    if error.is_connect() {
        Error::Unreachable(error.without_url())
    } else {
        Error::Interrupted(error.without_url())
    }
}

/// Reads the answer's body, at most `most` bytes of it.
async fn read(mut response: Response, most: usize) -> Result<Bytes, Error> {
    let status = response.status().as_u16();
    let mut bytes = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if bytes.len() + chunk.len() > most {
            let detail = format!("it has more than {most} bytes");
            return Err(Error::Answer { status, detail });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

fn refusal(status: StatusCode, bytes: &[u8], retry_after: Option<Duration>) -> Error {
    match serde_json::from_slice::<Problem>(bytes) {
        Ok(problem) => Error::Problem(Box::new(Problem {
            status: status.as_u16(),
            retry_after,
            ..problem
        })),
        Err(_) => Error::Answer {
            status: status.as_u16(),
            detail: String::from_utf8_lossy(bytes)
                .chars()
                .filter(|character| !character.is_control())
                .take(QUOTE_CHARS)
                .collect(),
        },
    }
}

/// `Retry-After` in seconds; its other form, a date, would need a clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}
