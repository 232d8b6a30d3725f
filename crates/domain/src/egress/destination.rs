//! A URL that may be delivered to, as far as its text tells.

use core::net::IpAddr;

use url::{Host, Url};

use super::{Denied, EgressPolicy, Hosts, URL_MAX_BYTES};

/// A URL that the policy admits, in the spelling of the WHATWG URL standard: the one the client
/// uses, so that no two readers see two hosts in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    url: Url,
    host: String,
    port: u16,
}

impl Destination {
    /// Reads a URL and judges its text. A host that is an address is judged as well; a name is
    /// judged by what it resolves to, each time it is connected to.
    ///
    /// # Errors
    /// [`Denied`] with the first rule it breaks.
    pub fn parse(text: &str, policy: &EgressPolicy, hosts: &Hosts) -> Result<Self, Denied> {
        if text.len() > URL_MAX_BYTES {
            return Err(Denied::TooLong);
        }
        // The standard drops some of these without a word, and takes a backslash for a slash.
        let unclear = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
        if text.contains(unclear) {
            return Err(Denied::NotUrl);
        }
        let url = Url::parse(text).map_err(|_| Denied::NotUrl)?;
        if !policy.opens_scheme(url.scheme()) {
            return Err(Denied::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Denied::Credentials);
        }
        if url.fragment().is_some() {
            return Err(Denied::Fragment);
        }
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(Denied::NotUrl);
        };
        if !policy.opens_port(url.scheme(), port) {
            return Err(Denied::Port(port));
        }
        if !hosts.admit(host) {
            return Err(Denied::Host);
        }
        let host = host.to_owned();
        let destination = Self { url, host, port };
        if let Some(address) = destination.address() {
            policy.admit(&[address])?;
        }
        Ok(destination)
    }

    /// The whole URL. Its path or query may be a secret of the receiver: not for logs.
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// The host as the URL holds it.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, also when the URL leaves it out.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether the connection is encrypted.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The host, when it is an address and no name.
    pub fn address(&self) -> Option<IpAddr> {
        match self.url.host()? {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
        }
    }

    /// Scheme, host and port: what may stand in a log, and what a breaker stands for.
    pub fn origin(&self) -> String {
        format!("{}://{}:{}", self.url.scheme(), self.host, self.port)
    }
}
