//! Networks as operators write them: `10.0.0.0/8`, or a single address.

use core::net::IpAddr;
use std::fmt;
use std::str::FromStr;

/// A network in CIDR notation, without host bits. A single address is a network of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    base: IpAddr,
    prefix: u32,
}

/// A text is neither an address nor a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a network such as 10.0.0.0/8 or fd12:3456::/32, or an address such as 10.0.0.7"
)]
pub struct NetworkError(String);

impl Network {
    /// Its first address.
    pub const fn base(&self) -> IpAddr {
        self.base
    }

    /// Whether an address lies in it. An address of the other family never does.
    pub fn contains(&self, address: IpAddr) -> bool {
        let differs = high_bits(address) ^ high_bits(self.base);
        address.is_ipv4() == self.base.is_ipv4() && differs.leading_zeros() >= self.prefix
    }
}

/// An address as a number whose highest bits are the first of the address, in both families.
const fn high_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => (address.to_bits() as u128) << 96,
        IpAddr::V6(address) => address.to_bits(),
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
            let (base, prefix) = match text.split_once('/') {
                Some((base, prefix)) => (base, Some(prefix)),
                None => (text, None),
            };
            // An IPv4 address in IPv6 is that IPv4 address.
            let base = base.parse::<IpAddr>().ok()?.to_canonical();
            let width = if base.is_ipv4() { 32 } else { 128 };
            let prefix = prefix.map_or(Ok(width), str::parse::<u32>).ok()?;
            // The bits behind the prefix are zero: whoever writes 10.1.2.3/8 means something else.
            let whole = prefix <= width && high_bits(base).trailing_zeros() >= 128 - prefix;
            whole.then_some(Self { base, prefix })
        };
        read().ok_or_else(|| NetworkError(text.chars().take(80).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_what_shares_their_prefix() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.1.2", "11.0.0.0"),
            ("10.0.0.7", "10.0.0.7", "10.0.0.8"),
            ("::ffff:10.0.0.7", "10.0.0.7", "::ffff:10.0.0.7"),
            ("0.0.0.0/0", "1.2.3.4", "::1"),
            ("fd00::/8", "fd12::1", "fe00::1"),
            ("::/0", "ffff::", "0.0.0.0"),
            ("::1", "::1", "::2"),
        ] {
            let network: Network = network.parse().unwrap();
            assert!(
                network.contains(inside.parse().unwrap()),
                "{network} {inside}"
            );
            assert!(
                !network.contains(outside.parse().unwrap()),
                "{network} {outside}"
            );
        }
    }

    #[test]
    fn a_network_is_written_without_host_bits() {
        for bad in [
            "",
            "x/8",
            "10.0.0/8",
            "10.0.0.0/33",
            "10.1.0.0/8",
            "1.2.3.4/",
            "1.2.3.4/-1",
            "fd00::/129",
            "fd12::1/16",
            "::ffff:0:0/96",
        ] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
        for (written, shown) in [("10.0.0.0/8", "10.0.0.0/8"), ("10.0.0.7", "10.0.0.7/32")] {
            assert_eq!(written.parse::<Network>().unwrap().to_string(), shown);
        }
    }
}
