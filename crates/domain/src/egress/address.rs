//! What an address is for: the special-purpose registries of IANA (RFC 6890), and the addresses at
//! which clouds answer their guests.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is for. Everything but [`Class::Public`] is denied unless a site opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// On the internet.
    Public,
    /// This machine.
    Loopback,
    /// A private network (RFC 1918).
    Private,
    /// A carrier's shared network (RFC 6598).
    Shared,
    /// A private network of IPv6 (RFC 4193).
    UniqueLocal,
    /// For measurements in laboratories (RFC 2544).
    Benchmark,
    /// This cable.
    LinkLocal,
    /// Where a cloud tells a guest its secrets.
    Metadata,
    /// Many receivers at once.
    Multicast,
    /// For examples in books.
    Documentation,
    /// An IPv6 address with an IPv4 address inside, whose way nobody can foresee.
    Embedded,
    /// No address at all, or held back for protocols and for later.
    Reserved,
}

/// First match counts. Sources: IANA IPv4 Special-Purpose Address Registry; the clouds' manuals.
const V4: &[(Ipv4Addr, u32, Class)] = &[
    (Ipv4Addr::new(169, 254, 169, 254), 32, Class::Metadata),
    (Ipv4Addr::new(169, 254, 170, 2), 32, Class::Metadata),
    (Ipv4Addr::new(100, 100, 100, 200), 32, Class::Metadata),
    (Ipv4Addr::new(168, 63, 129, 16), 32, Class::Metadata),
    (Ipv4Addr::new(192, 0, 0, 192), 32, Class::Metadata),
    (Ipv4Addr::UNSPECIFIED, 8, Class::Reserved),
    (Ipv4Addr::new(10, 0, 0, 0), 8, Class::Private),
    (Ipv4Addr::new(100, 64, 0, 0), 10, Class::Shared),
    (Ipv4Addr::new(127, 0, 0, 0), 8, Class::Loopback),
    (Ipv4Addr::new(169, 254, 0, 0), 16, Class::LinkLocal),
    (Ipv4Addr::new(172, 16, 0, 0), 12, Class::Private),
    (Ipv4Addr::new(192, 0, 0, 0), 24, Class::Reserved),
    (Ipv4Addr::new(192, 0, 2, 0), 24, Class::Documentation),
    (Ipv4Addr::new(192, 31, 196, 0), 24, Class::Reserved),
    (Ipv4Addr::new(192, 52, 193, 0), 24, Class::Reserved),
    (Ipv4Addr::new(192, 88, 99, 0), 24, Class::Embedded),
    (Ipv4Addr::new(192, 168, 0, 0), 16, Class::Private),
    (Ipv4Addr::new(192, 175, 48, 0), 24, Class::Reserved),
    (Ipv4Addr::new(198, 18, 0, 0), 15, Class::Benchmark),
    (Ipv4Addr::new(198, 51, 100, 0), 24, Class::Documentation),
    (Ipv4Addr::new(203, 0, 113, 0), 24, Class::Documentation),
    (Ipv4Addr::new(224, 0, 0, 0), 4, Class::Multicast),
    (Ipv4Addr::new(240, 0, 0, 0), 4, Class::Reserved),
];

/// First match counts. Source: IANA IPv6 Special-Purpose Address Registry.
const V6: &[(Ipv6Addr, u32, Class)] = &[
    (Ipv6Addr::LOCALHOST, 128, Class::Loopback),
    (Ipv6Addr::UNSPECIFIED, 128, Class::Reserved),
    // IPv4-compatible, -mapped and -translated.
    (Ipv6Addr::UNSPECIFIED, 96, Class::Embedded),
    (
        Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0),
        96,
        Class::Embedded,
    ),
    (
        Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0),
        96,
        Class::Embedded,
    ),
    // NAT64, the well-known prefix and the local one (RFC 6052, RFC 8215).
    (
        Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0),
        96,
        Class::Embedded,
    ),
    (
        Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0),
        48,
        Class::Embedded,
    ),
    // Teredo, then the rest of the protocol assignments.
    (
        Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0),
        32,
        Class::Embedded,
    ),
    (
        Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0),
        23,
        Class::Reserved,
    ),
    (
        Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0),
        32,
        Class::Documentation,
    ),
    // 6to4.
    (
        Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0),
        16,
        Class::Embedded,
    ),
    (
        Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0),
        48,
        Class::Reserved,
    ),
    (
        Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0),
        20,
        Class::Documentation,
    ),
    (
        Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
        128,
        Class::Metadata,
    ),
    (
        Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
        128,
        Class::Metadata,
    ),
    (
        Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0),
        7,
        Class::UniqueLocal,
    ),
    (
        Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0),
        10,
        Class::LinkLocal,
    ),
    (
        Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0),
        8,
        Class::Multicast,
    ),
];

/// The only part of IPv6 that is given out to the internet.
const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

impl Class {
    /// What an address is for.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => v4(address),
            IpAddr::V6(address) => v6(address),
        }
    }

    /// Whether a site may open a network of this class: those in which a site numbers its machines.
    pub const fn may_be_opened(self) -> bool {
        match self {
            Self::Private | Self::Shared | Self::UniqueLocal | Self::Benchmark => true,
            Self::Public
            | Self::Loopback
            | Self::LinkLocal
            | Self::Metadata
            | Self::Multicast
            | Self::Documentation
            | Self::Embedded
            | Self::Reserved => false,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Loopback => "a loopback address",
            Self::Private => "in a private network",
            Self::Shared => "in a carrier's shared network",
            Self::UniqueLocal => "in a unique local network",
            Self::Benchmark => "in a network for measurements",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "the metadata service of a cloud",
            Self::Multicast => "a multicast address",
            Self::Documentation => "reserved for documentation",
            Self::Embedded => "an IPv6 form of an IPv4 address",
            Self::Reserved => "reserved",
        })
    }
}

fn v4(address: Ipv4Addr) -> Class {
    let listed = V4
        .iter()
        .find(|(base, prefix, _)| in_v4(address, *base, *prefix));
    listed.map_or(Class::Public, |(.., class)| *class)
}

fn v6(address: Ipv6Addr) -> Class {
    let listed = V6
        .iter()
        .find(|(base, prefix, _)| in_v6(address, *base, *prefix));
    match listed {
        Some((.., class)) => *class,
        None if is_isatap(address) => Class::Embedded,
        None if in_v6(address, GLOBAL_UNICAST.0, GLOBAL_UNICAST.1) => Class::Public,
        None => Class::Reserved,
    }
}

/// ISATAP: an IPv4 address in the lower half of an address of any network (RFC 5214 section 6.1).
fn is_isatap(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    parts[4] & 0xfdff == 0 && parts[5] == 0x5efe
}

/// Whether an address starts with the first `prefix` bits of another.
fn in_v4(address: Ipv4Addr, base: Ipv4Addr, prefix: u32) -> bool {
    let differing = address.to_bits() ^ base.to_bits();
    differing.leading_zeros() >= prefix
}

/// The same for IPv6.
fn in_v6(address: Ipv6Addr, base: Ipv6Addr, prefix: u32) -> bool {
    let differing = address.to_bits() ^ base.to_bits();
    differing.leading_zeros() >= prefix
}
