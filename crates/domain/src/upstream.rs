//! The address of an upstream: checked for its form, never fetched here.

use std::fmt;
use std::str::FromStr;

/// Longest address, in bytes.
pub const URL_MAX: usize = 2_048;
/// Longest host, in bytes (RFC 1035).
const HOST_MAX: usize = 253;

/// `https://host[:port]/…` or `http://…`: without credentials and fragment, in printable ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamUrl {
    text: String,
    host: String,
}

/// Why a text is not an [`UpstreamUrl`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamUrlError {
    /// Longer than [`URL_MAX`].
    #[error("longer than 2048 bytes")]
    TooLong,
    /// Spaces, controls and letters beyond ASCII must be percent-encoded.
    #[error("holds something else than printable ASCII")]
    NotPrintable,
    /// Neither `https` nor `http`.
    #[error("begins with neither https:// nor http://")]
    Scheme,
    /// A user name or a password: they would be stored and shown.
    #[error("holds credentials")]
    Credentials,
    /// `#…` names a part of an answer, which nobody asks a feed for.
    #[error("holds a fragment")]
    Fragment,
    /// No host, or one that is neither a name nor an address.
    #[error("its host is neither a name nor an address")]
    Host,
    /// Not a number from 1 to 65535.
    #[error("its port is not a number from 1 to 65535")]
    Port,
}

impl UpstreamUrl {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host in lower case, without port: what limits are kept by.
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl fmt::Display for UpstreamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for UpstreamUrl {
    type Err = UpstreamUrlError;

    fn from_str(text: &str) -> Result<Self, UpstreamUrlError> {
        if text.len() > URL_MAX {
            return Err(UpstreamUrlError::TooLong);
        }
        if !text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        {
            return Err(UpstreamUrlError::NotPrintable);
        }
        let lower = text.to_ascii_lowercase();
        let schemes = ["https://", "http://"];
        let scheme = schemes.into_iter().find(|scheme| lower.starts_with(scheme));
        let rest = &lower[scheme.ok_or(UpstreamUrlError::Scheme)?.len()..];
        if rest.contains('#') {
            return Err(UpstreamUrlError::Fragment);
        }
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(UpstreamUrlError::Credentials);
        }
        let (host, port) = split_port(authority);
        if !is_host(host) {
            return Err(UpstreamUrlError::Host);
        }
        if let Some(port) = port {
            let number: Option<u16> = port.parse().ok().filter(|number| *number > 0);
            number.ok_or(UpstreamUrlError::Port)?;
        }
        Ok(Self {
            text: text.to_owned(),
            host: host.to_owned(),
        })
    }
}

/// Host and port; the colons of an IPv6 address stand in brackets.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    let after_bracket = authority.rfind(']').map_or(0, |at| at + 1);
    match authority[after_bracket..].find(':') {
        Some(at) => {
            let (host, port) = authority.split_at(after_bracket + at);
            (host, Some(&port[1..]))
        }
        None => (authority, None),
    }
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        let address = address.strip_suffix(']');
        return address.is_some_and(|address| address.parse::<core::net::Ipv6Addr>().is_ok());
    }
    let label = |label: &str| {
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=63).contains(&label.len())
            && label.bytes().all(sound)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let name = host.strip_suffix('.').unwrap_or(host);
    name.len() <= HOST_MAX && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, UpstreamUrlError>) {
        let found = text.parse::<UpstreamUrl>();
        assert_eq!(
            found
                .as_ref()
                .map(UpstreamUrl::host)
                .map_err(|error| *error),
            expected,
            "{text}"
        );
    }

    #[test]
    fn an_address_has_a_host_and_no_secrets() {
        check("https://Feeds.Example/osv?x=1", Ok("feeds.example"));
        check("http://10.0.0.7:8080/", Ok("10.0.0.7"));
        check("HTTPS://[2001:db8::1]:443/a", Ok("[2001:db8::1]"));
        check("https://localhost", Ok("localhost"));
        check("ftp://a/", Err(UpstreamUrlError::Scheme));
        check("feeds.example", Err(UpstreamUrlError::Scheme));
        check("https://", Err(UpstreamUrlError::Host));
        check("https:///a", Err(UpstreamUrlError::Host));
        check("https://a..b/", Err(UpstreamUrlError::Host));
        check("https://-a/", Err(UpstreamUrlError::Host));
        check("https://[::1/", Err(UpstreamUrlError::Host));
        check("https://me:secret@a/", Err(UpstreamUrlError::Credentials));
        check("https://a/#b", Err(UpstreamUrlError::Fragment));
        check("https://a:0/", Err(UpstreamUrlError::Port));
        check("https://a:99999/", Err(UpstreamUrlError::Port));
        check("https://a b/", Err(UpstreamUrlError::NotPrintable));
        check("https://ä/", Err(UpstreamUrlError::NotPrintable));
        let long = format!("https://a/{}", "x".repeat(URL_MAX));
        check(&long, Err(UpstreamUrlError::TooLong));
    }
}
