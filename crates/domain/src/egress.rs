//! Where the service may connect to on somebody's behalf: the policy behind webhooks.
//!
//! Deny by default. A URL is judged by its text, then every address its host resolves to is judged
//! by the special-purpose registries of IANA. Whoever connects does so to the judged addresses and
//! to no others, so that a name cannot answer differently the second time.

mod address;
mod destination;
mod host;

use core::net::IpAddr;
use std::collections::BTreeSet;

pub use address::Class;
pub use destination::Destination;
pub use host::{HOSTS_MAX, HostError, HostPattern, Hosts};

use crate::network::Network;

/// Longest URL that is delivered to, in bytes.
pub const URL_MAX_BYTES: usize = 2_048;
/// Ports of https that are reached unless an installation names others.
pub const HTTPS_PORTS: [u16; 2] = [443, 8_443];
/// Ports of plain http, where an installation allows it.
pub const HTTP_PORTS: [u16; 2] = [80, 8_080];
/// Networks that an installation may open.
pub const NETWORKS_MAX: usize = 32;

/// What an installation lets its webhooks reach. The default is the strict one: https to public
/// addresses on the ports 443 and 8443.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EgressPolicy {
    http: bool,
    loopback: bool,
    any_port: bool,
    ports: BTreeSet<u16>,
    networks: Vec<Network>,
}

/// Why a destination is not reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Longer than [`URL_MAX_BYTES`].
    #[error("a URL has at most {URL_MAX_BYTES} bytes")]
    TooLong,
    /// Not an absolute URL with a host, or with characters that readers disagree about.
    #[error("not an absolute URL such as https://hooks.example.com/jobs")]
    NotUrl,
    /// Neither https nor, where it is allowed, http.
    #[error("the scheme must be https")]
    Scheme,
    /// A user or password stands in the URL.
    #[error("a URL carries no user and no password")]
    Credentials,
    /// A fragment never reaches a server.
    #[error("a URL carries no fragment")]
    Fragment,
    /// Another port than those that are open.
    #[error("port {0} is not one that webhooks reach")]
    Port(u16),
    /// The tenant's allow-list does not name the host.
    #[error("the host is not on the tenant's list")]
    Host,
    /// The name resolves to nothing.
    #[error("the host has no address")]
    NoAddress,
    /// One of its addresses is not reached. Says the class and not the address: what a name of an
    /// inside network resolves to is nobody's business.
    #[error("an address of the host is {0}")]
    Address(Class),
}

/// Why a network is not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Loopback, link-local, metadata, multicast, reserved, or public.
    #[error("only private, shared, unique local and benchmark networks can be opened")]
    Never,
    /// More than an installation may open.
    #[error("at most {NETWORKS_MAX} networks can be opened")]
    TooMany,
}

impl Denied {
    /// One word, stable, for records and problems.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "URL_TOO_LONG",
            Self::NotUrl => "URL_INVALID",
            Self::Scheme => "URL_SCHEME",
            Self::Credentials => "URL_CREDENTIALS",
            Self::Fragment => "URL_FRAGMENT",
            Self::Port(_) => "URL_PORT",
            Self::Host => "HOST_NOT_LISTED",
            Self::NoAddress => "HOST_UNKNOWN",
            Self::Address(_) => "ADDRESS_DENIED",
        }
    }
}

impl EgressPolicy {
    /// Allows plain http too, on the ports 80 and 8080: for air-gapped labs.
    #[must_use]
    pub fn with_http(mut self) -> Self {
        self.http = true;
        self
    }

    /// Opens a further port.
    #[must_use]
    pub fn with_port(mut self, port: u16) -> Self {
        self.ports.insert(port);
        self
    }

    /// Opens a network that is not public: for sites without the internet.
    ///
    /// # Errors
    /// [`OpenError::Never`] for what no site may open, such as loopback or multicast;
    /// [`OpenError::TooMany`] beyond [`NETWORKS_MAX`].
    pub fn with_network(mut self, network: Network) -> Result<Self, OpenError> {
        if !Class::of(network.base()).may_be_opened() {
            return Err(OpenError::Never);
        }
        if self.networks.len() >= NETWORKS_MAX {
            return Err(OpenError::TooMany);
        }
        self.networks.push(network);
        Ok(self)
    }

    /// The policy of a developer's machine and of tests: http to loopback on any port as well.
    #[must_use]
    pub fn with_loopback(mut self) -> Self {
        self.loopback = true;
        self.http = true;
        self.any_port = true;
        self
    }

    /// Judges the addresses that a host resolved to: every one must be reachable, because any one
    /// may be the one that is connected to.
    ///
    /// # Errors
    /// [`Denied::NoAddress`], or [`Denied::Address`] for the first one that is not reached.
    pub fn admit(&self, addresses: &[IpAddr]) -> Result<(), Denied> {
        if addresses.is_empty() {
            return Err(Denied::NoAddress);
        }
        addresses
            .iter()
            .try_for_each(|address| self.reach(*address))
    }

    fn reach(&self, address: IpAddr) -> Result<(), Denied> {
        match Class::of(address) {
            Class::Public => Ok(()),
            Class::Loopback if self.loopback => Ok(()),
            class if class.may_be_opened() && self.opens(address) => Ok(()),
            class => Err(Denied::Address(class)),
        }
    }

    fn opens(&self, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|network| network.contains(address))
    }

    fn opens_scheme(&self, scheme: &str) -> bool {
        scheme == "https" || (scheme == "http" && self.http)
    }

    fn opens_port(&self, scheme: &str, port: u16) -> bool {
        let usual = if scheme == "https" {
            HTTPS_PORTS
        } else {
            HTTP_PORTS
        };
        self.any_port || usual.contains(&port) || self.ports.contains(&port)
    }
}

#[cfg(test)]
mod tests;
