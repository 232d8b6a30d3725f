//! Connections to places outside that a tenant names.
//!
//! For each request the host is resolved once, every address is judged by the policy, and the client
//! is bound to exactly those addresses, with the host's own name for TLS and `Host`. A second answer
//! of the name server, a redirect or a proxy of the environment cannot lead anywhere else. What the
//! receiver answers is its status; its body is read up to a bound and thrown away.

mod authorities;
mod pinned;
mod response;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jobengine_domain::egress::{Denied, Destination, EgressPolicy, Hosts};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};

pub use authorities::{Authorities, AuthoritiesError};
use pinned::Pinned;

/// Connecting, TLS included, takes at most so long.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// The whole exchange, name resolution included, takes at most so long.
const TOTAL_MAX: Duration = Duration::from_secs(10);
/// Connections to the outside at a time, of a whole process.
const CONNECTIONS: usize = 256;
/// Addresses of one host that are looked at; a host with more is not one that we know how to judge.
const ADDRESSES_MAX: usize = 64;
const USER_AGENT: &str = concat!("JobEngine/", env!("CARGO_PKG_VERSION"));

/// The way out of a process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Egress(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    policy: EgressPolicy,
    tls: ClientConfig,
    connections: Semaphore,
    total: Duration,
}

/// What the receiver answered: nothing of its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// What it asked for with Retry-After, in milliseconds.
    pub retry_after_ms: Option<u64>,
}

/// Why there is no answer. Each has one stable word, and none says more than the tenant may know.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// The policy denies the URL or one of its addresses.
    #[error("{0}")]
    Denied(#[from] Denied),
    /// The name server does not know the host, or does not answer.
    #[error("the host cannot be resolved")]
    Unresolved,
    /// No connection, or no TLS.
    #[error("no connection could be made")]
    Connect,
    /// Not done in time.
    #[error("no answer came in time")]
    TimedOut,
    /// The connection broke, or what came was not HTTP.
    #[error("the connection broke off")]
    Broken,
}

impl EgressError {
    /// One word, stable, for records.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Denied(denied) => denied.code(),
            Self::Unresolved => "HOST_UNRESOLVED",
            Self::Connect => "CONNECT_FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Broken => "CONNECTION_BROKEN",
        }
    }
}

impl Egress {
    /// A way out under a policy. Certificates are those of authorities that the system trusts
    /// (`SSL_CERT_FILE` and `SSL_CERT_DIR` name others), and of `own` ones.
    ///
    /// # Panics
    /// When the cryptography that is built in lacks a protocol version: our own bug.
    pub fn new(policy: EgressPolicy, own: &Authorities) -> Self {
        let mut roots = own.roots();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self::trusting(policy, roots, TOTAL_MAX)
    }

    fn trusting(policy: EgressPolicy, roots: RootCertStore, total: Duration) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("aws-lc-rs speaks TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self(Arc::new(Inner {
            policy,
            tls,
            connections: Semaphore::new(CONNECTIONS),
            total,
        }))
    }

    /// Sends `body` to a URL with `POST`. The policy is asked anew each time, of the text and of
    /// every address. Takes at most 10 s once one of the process's 256 connections is free.
    ///
    /// # Errors
    /// [`EgressError`]; the receiver may or may not have got the body.
    pub async fn post(
        &self,
        url: &str,
        hosts: &Hosts,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Answer, EgressError> {
        let destination = Destination::parse(url, &self.0.policy, hosts)?;
        let _connection = self
            .0
            .connections
            .acquire()
            .await
            .expect("the semaphore is never closed");
        let deadline = Instant::now() + self.0.total;
        let exchange = self.exchange(&destination, headers, body, deadline);
        timeout_at(deadline, exchange)
            .await
            .unwrap_or(Err(EgressError::TimedOut))
    }

    async fn exchange(
        &self,
        destination: &Destination,
        headers: HeaderMap,
        body: Vec<u8>,
        deadline: Instant,
    ) -> Result<Answer, EgressError> {
        let addresses = resolve(destination).await?;
        let judged: Vec<IpAddr> = addresses.iter().map(SocketAddr::ip).collect();
        self.0.policy.admit(&judged)?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(self.0.tls.clone())
            .dns_resolver(Pinned::new(addresses))
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .retry(reqwest::retry::never())
            .http1_only()
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_MAX)
            .user_agent(USER_AGENT)
            .build()
            .map_err(|_| EgressError::Broken)?;
        let response = client
            .post(destination.url().clone())
            .headers(headers)
            .body(body)
            .send()
            .await
            .map_err(|error| sort(&error))?;
        let answer = Answer {
            status: response.status().as_u16(),
            retry_after_ms: retry_after_ms(response.headers()),
        };
        // The status is the answer, whatever comes of the rest.
        let _ = timeout_at(deadline, response::drain(response)).await;
        Ok(answer)
    }
}

/// Every address of the host, by one question to the system's resolver; an address is its own.
async fn resolve(destination: &Destination) -> Result<Vec<SocketAddr>, EgressError> {
    if let Some(address) = destination.address() {
        return Ok(vec![SocketAddr::new(address, destination.port())]);
    }
    let found = tokio::net::lookup_host((destination.host(), destination.port()));
    let found = timeout(CONNECT_MAX, found).await;
    let addresses: Vec<SocketAddr> = match found {
        Ok(Ok(addresses)) => addresses.take(ADDRESSES_MAX + 1).collect(),
        Ok(Err(_)) | Err(_) => return Err(EgressError::Unresolved),
    };
    if addresses.len() > ADDRESSES_MAX {
        return Err(EgressError::Unresolved);
    }
    Ok(addresses)
}

fn sort(error: &reqwest::Error) -> EgressError {
    if error.is_connect() {
        EgressError::Connect
    } else if error.is_timeout() {
        EgressError::TimedOut
    } else {
        EgressError::Broken
    }
}

/// Retry-After in seconds; the form with a date would need the receiver's clock.
fn retry_after_ms(headers: &HeaderMap) -> Option<u64> {
    let seconds: u64 = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(seconds.saturating_mul(1_000))
}

#[cfg(test)]
mod tests;
