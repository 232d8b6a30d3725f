//! The client: where the server is and who is calling.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use reqwest::{Method, Url};

use crate::call::Call;
use crate::error::Error;
use crate::retry::RetryPolicy;
use crate::token::{Token, TokenSource};

/// A server that does not take a connection within this is held to be away.
const CONNECT: Duration = Duration::from_secs(5);
/// A server that has been quiet for so long is asked whether it is there, and again each time so much later.
const PROBE: Duration = Duration::from_secs(5);
/// A server that acknowledges nothing for so long is gone: with the probes before it, within 30 seconds.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(12);

/// A client of one server. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    retry: RetryPolicy,
}

struct Shared {
    settings: ClientBuilder,
    http: reqwest::Client,
    base: Url,
    tenant: Option<HeaderValue>,
    token: Option<Token>,
}

/// Settings of a [`Client`].
#[derive(Debug, Clone)]
pub struct ClientBuilder {
    base: String,
    token: Option<TokenSource>,
    tenant: Option<String>,
    retry: RetryPolicy,
    timeout: Duration,
}

impl ClientBuilder {
    /// Who is calling. Without it only the server's health and version can be asked for.
    #[must_use]
    pub fn token(self, token: TokenSource) -> Self {
        Self {
            token: Some(token),
            ..self
        }
    }

    /// The tenant that the token is expected to be for; the server refuses any other.
    #[must_use]
    pub fn tenant(self, tenant: impl Into<String>) -> Self {
        Self {
            tenant: Some(tenant.into()),
            ..self
        }
    }

    /// When calls are repeated; [`RetryPolicy::default`] unless said otherwise.
    #[must_use]
    pub fn retry(self, retry: RetryPolicy) -> Self {
        Self { retry, ..self }
    }

    /// How long one try of a call may take, 30 seconds unless said otherwise. Long polls and
    /// documents get more.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Makes the client; does not call the server.
    ///
    /// # Errors
    /// [`Error::Settings`] when the base is no `http` or `https` URL, the tenant cannot stand in a
    /// header, or no root certificates are found for `https`.
    pub fn build(self) -> Result<Client, Error> {
        let base = base_url(&self.base)?;
        let tenant = self
            .tenant
            .as_deref()
            .map(HeaderValue::from_str)
            .transpose()
            .map_err(|_| Error::Settings("the tenant cannot stand in a header".to_owned()))?;
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("jobengine-sdk-rust/", env!("CARGO_PKG_VERSION")))
            // A redirect would carry the token to a place nobody named.
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .tcp_keepalive(PROBE)
            .tcp_keepalive_interval(PROBE)
            .tcp_nodelay(true);
        #[cfg(target_os = "linux")]
        {
            http = http.tcp_user_timeout(UNACKNOWLEDGED);
        }
        if base.scheme() == "http" {
            // Not used; a system without root certificates must not keep us from loopback.
            http = http.tls_certs_only([]);
        }
        let http = http.build().map_err(|error| {
            Error::Settings(format!("the client cannot be made: {}", chain(&error)))
        })?;
        Ok(Client {
            retry: self.retry,
            shared: Arc::new(Shared {
                http,
                base,
                tenant,
                token: self.token.clone().map(Token::new),
                settings: self,
            }),
        })
    }
}

impl Client {
    /// Begins a client of the server at `base` (`http://127.0.0.1:8080`).
    pub fn builder(base: impl Into<String>) -> ClientBuilder {
        ClientBuilder {
            base: base.into(),
            token: None,
            tenant: None,
            retry: RetryPolicy::default(),
            timeout: Duration::from_secs(30),
        }
    }

    /// The same client, with other bounds on repetition.
    #[must_use]
    pub fn with_retry(&self, retry: RetryPolicy) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            retry,
        }
    }

    /// A client with the same settings that shares nothing with this one, neither connections nor
    /// locks: whatever blocks the tasks of one cannot block the other.
    ///
    /// # Errors
    /// [`Error::Settings`].
    pub(crate) fn apart(&self) -> Result<Self, Error> {
        self.shared.settings.clone().build()
    }

    /// Begins a call to `path` below the base.
    pub(crate) fn call(&self, method: Method, path: &[&str]) -> Call<'_> {
        let mut url = self.shared.base.clone();
        url.path_segments_mut()
            .expect("an http URL has a path")
            .pop_if_empty()
            .extend(path);
        Call::new(self, method, url)
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.shared.http
    }

    pub(crate) fn token(&self) -> Option<&Token> {
        self.shared.token.as_ref()
    }

    pub(crate) fn tenant(&self) -> Option<&HeaderValue> {
        self.shared.tenant.as_ref()
    }

    pub(crate) fn retry(&self) -> &RetryPolicy {
        &self.retry
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.shared.settings.timeout
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.shared.settings.fmt(f)
    }
}

fn base_url(text: &str) -> Result<Url, Error> {
    let refuse = |why: &str| Error::Settings(format!("`{text}` is not the URL of a server: {why}"));
    let url = Url::parse(text).map_err(|error| refuse(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refuse("it begins with neither http:// nor https://"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("it has a query or a fragment"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("it holds credentials"));
    }
    Ok(url)
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stand_below_the_base() {
        let check = |base: &str, path: &[&str], expected: &str| {
            let client = Client::builder(base).build().expect("a client");
            assert_eq!(client.call(Method::GET, path).url().as_str(), expected);
        };
        check("http://h:1", &["api", "v1"], "http://h:1/api/v1");
        check("http://h/a/", &["b:cancel"], "http://h/a/b:cancel");
        check("http://h/a", &["../x", "s:1"], "http://h/a/..%2Fx/s:1");
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for bad in ["", "h:1", "ftp://h", "http://h?x=1", "http://u:p@h"] {
            let error = Client::builder(bad).build();
            assert!(matches!(error, Err(Error::Settings(_))), "{bad}");
        }
    }
}
