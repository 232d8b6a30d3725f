//! The hosts to which a tenant confines its webhooks.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Host;

/// Patterns on a tenant's list.
pub const HOSTS_MAX: usize = 100;
/// Longest host name (RFC 1035 section 2.3.4).
const NAME_MAX: usize = 253;

/// `hooks.example.com`, or `*.example.com` for everything below, the name itself not included.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPattern {
    below: bool,
    /// As a URL holds it: lower case, ASCII, IPv6 in brackets, without a last dot.
    name: String,
}

/// Why a text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a host such as hooks.example.com or *.example.com")]
pub struct HostError(String);

/// The hosts that a tenant's webhooks reach; all of them when the list is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hosts(pub BTreeSet<HostPattern>);

impl Hosts {
    /// Whether a host, as a URL holds it, is on the list.
    pub fn admit(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        self.0.is_empty() || self.0.iter().any(|pattern| pattern.matches(host))
    }
}

impl HostPattern {
    fn matches(&self, host: &str) -> bool {
        if !self.below {
            return host == self.name;
        }
        host.strip_suffix(&self.name)
            .is_some_and(|before| before.len() > 1 && before.ends_with('.'))
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = if self.below { "*." } else { "" };
        write!(f, "{star}{}", self.name)
    }
}

impl FromStr for HostPattern {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || HostError(text.chars().take(80).collect());
        let (below, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text),
        };
        let name = name.strip_suffix('.').unwrap_or(name);
        if name.is_empty() || name.len() > NAME_MAX {
            return Err(refuse());
        }
        let host = Host::parse(name).map_err(|_| refuse())?;
        match (&host, below) {
            // Nothing lies below an address.
            (Host::Ipv4(_) | Host::Ipv6(_), true) => Err(refuse()),
            // A star in the middle would look like a pattern and match nothing.
            (Host::Domain(name), _) if name.contains('*') => Err(refuse()),
            (Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_), _) => Ok(Self {
                below,
                name: host.to_string(),
            }),
        }
    }
}

impl Serialize for HostPattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HostPattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
