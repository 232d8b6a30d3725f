//! Networks as operators write them: `10.0.0.0/8`.

use core::net::IpAddr;
use std::fmt;
use std::str::FromStr;

use super::address::{in_v4, in_v6};

/// A network in CIDR notation, without host bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    base: IpAddr,
    prefix: u32,
}

/// Why a text is not a network that can be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Not CIDR notation.
    #[error("`{0}` is not a network such as 10.0.0.0/8 or fd12:3456::/32")]
    Malformed(String),
    /// Loopback, link-local, metadata, multicast, reserved, or public.
    #[error("only private, shared, unique local and benchmark networks can be opened")]
    NeverOpened,
    /// More than an installation may open.
    #[error("too many networks")]
    TooMany,
}

impl Network {
    /// Its first address.
    pub const fn base(&self) -> IpAddr {
        self.base
    }

    /// Whether an address lies in it. An address of the other family never does.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (address, self.base) {
            (IpAddr::V4(address), IpAddr::V4(base)) => in_v4(address, base, self.prefix),
            (IpAddr::V6(address), IpAddr::V6(base)) => in_v6(address, base, self.prefix),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (base, prefix) = text.split_once('/')?;
            let base: IpAddr = base.parse().ok()?;
            let prefix: u32 = prefix.parse().ok()?;
            // The bits behind the prefix are zero: whoever writes 10.1.2.3/8 means something else.
            let whole = match base {
                IpAddr::V4(base) => prefix <= 32 && 32 - base.to_bits().trailing_zeros() <= prefix,
                IpAddr::V6(base) => {
                    prefix <= 128 && 128 - base.to_bits().trailing_zeros() <= prefix
                }
            };
            whole.then_some(Self { base, prefix })
        };
        read().ok_or_else(|| NetworkError::Malformed(text.chars().take(80).collect()))
    }
}
