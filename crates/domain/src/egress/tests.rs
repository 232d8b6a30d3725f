use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::*;
use proptest::prelude::*;

fn strict() -> EgressPolicy {
    EgressPolicy::default()
}

fn lab() -> EgressPolicy {
    let policy = strict().with_http();
    let policy = policy.with_network("10.0.0.0/8".parse().unwrap()).unwrap();
    policy.with_network("fd12::/16".parse().unwrap()).unwrap()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the cases are written where they are checked"
)]
fn check(policy: &EgressPolicy, url: &str, expected: Result<&str, Denied>) {
    let found = Destination::parse(url, policy, &Hosts::default());
    assert_eq!(
        found.as_ref().map(|found| found.url().as_str()),
        expected.as_ref().copied(),
        "{url}"
    );
}

#[test]
fn only_https_on_its_ports_without_extras() {
    let strict = strict();
    let check = |url, expected| check(&strict, url, expected);
    check(
        "https://Hooks.Example.com",
        Ok("https://hooks.example.com/"),
    );
    check(
        "https://h.example:8443/a?b=c",
        Ok("https://h.example:8443/a?b=c"),
    );
    check("http://h.example/", Err(Denied::Scheme));
    check("ftp://h.example/", Err(Denied::Scheme));
    check("file:///etc/passwd", Err(Denied::Scheme));
    check("https://h.example:22/", Err(Denied::Port(22)));
    check("https://u@h.example/", Err(Denied::Credentials));
    check("https://:p@h.example/", Err(Denied::Credentials));
    check("https://h.example/#x", Err(Denied::Fragment));
    check("https:///", Err(Denied::NotUrl));
    check("/jobs", Err(Denied::NotUrl));
    check("https://h.example\\@10.0.0.1/", Err(Denied::NotUrl));
    check("https://h.exa\tmple/", Err(Denied::NotUrl));
    let long = format!("https://h.example/{}", "a".repeat(URL_MAX_BYTES));
    check(&long, Err(Denied::TooLong));
}

#[test]
fn an_address_is_seen_through_every_spelling() {
    let strict = strict();
    let check = |url, class| check(&strict, url, Err(Denied::Address(class)));
    for url in [
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f.0.0.1/",
        "https://017700000001/",
        "https://[::1]/",
        "https://127.0.0.1./",
    ] {
        check(url, Class::Loopback);
    }
    check("https://169.254.169.254/latest", Class::Metadata);
    check("https://[fd00:ec2::254]/", Class::Metadata);
    check("https://0.0.0.0/", Class::Reserved);
    check("https://[::]/", Class::Reserved);
    check("https://[::ffff:127.0.0.1]/", Class::Embedded);
    check("https://[::127.0.0.1]/", Class::Embedded);
    check("https://[64:ff9b::7f00:1]/", Class::Embedded);
    check("https://[2002:7f00:1::]/", Class::Embedded);
    check("https://[2001:4860:4860::5efe:10.0.0.1]/", Class::Embedded);
    check("https://192.168.1.1/", Class::Private);
    check("https://100.64.0.1/", Class::Shared);
    check("https://[fe80::1]/", Class::LinkLocal);
    check("https://255.255.255.255/", Class::Reserved);
}

#[test]
fn what_a_site_opens_is_open_and_nothing_else() {
    let lab = lab();
    check(&lab, "http://10.1.2.3/", Ok("http://10.1.2.3/"));
    check(&lab, "http://10.1.2.3:8080/", Ok("http://10.1.2.3:8080/"));
    check(&lab, "https://[fd12::1]/", Ok("https://[fd12::1]/"));
    check(
        &lab,
        "http://192.168.0.1/",
        Err(Denied::Address(Class::Private)),
    );
    check(
        &lab,
        "http://127.0.0.1/",
        Err(Denied::Address(Class::Loopback)),
    );
    check(&lab, "http://10.1.2.3:9000/", Err(Denied::Port(9_000)));
    check(
        &lab.with_port(9_000),
        "http://10.1.2.3:9000/",
        Ok("http://10.1.2.3:9000/"),
    );
    check(
        &strict().with_loopback(),
        "http://127.0.0.1:49152/",
        Ok("http://127.0.0.1:49152/"),
    );
}

#[test]
fn nobody_opens_loopback_metadata_or_the_internet_by_network() {
    for never in [
        "127.0.0.0/8",
        "169.254.0.0/16",
        "224.0.0.0/4",
        "0.0.0.0/0",
        "::/0",
        "::1/128",
        "::ffff:127.0.0.1",
        "8.8.8.0/24",
    ] {
        assert_eq!(
            strict().with_network(never.parse().unwrap()),
            Err(OpenError::Never),
            "{never}"
        );
    }
    // A wide network does not carry the metadata service with it.
    let wide = strict()
        .with_network("100.64.0.0/10".parse().unwrap())
        .unwrap();
    assert!(wide.admit(&["100.64.0.1".parse().unwrap()]).is_ok());
    assert_eq!(
        wide.admit(&["100.100.100.200".parse().unwrap()]),
        Err(Denied::Address(Class::Metadata))
    );
}

#[test]
fn one_bad_address_spoils_the_answer() {
    let public: IpAddr = "93.184.216.34".parse().unwrap();
    let inside: IpAddr = "10.0.0.1".parse().unwrap();
    assert_eq!(strict().admit(&[public]), Ok(()));
    let spoiled = Err(Denied::Address(Class::Private));
    assert_eq!(strict().admit(&[public, inside]), spoiled);
    assert_eq!(strict().admit(&[inside, public]), spoiled);
    assert_eq!(strict().admit(&[]), Err(Denied::NoAddress));
}

#[test]
fn a_tenant_s_list_confines_its_webhooks() {
    let hosts = |patterns: &[&str]| Hosts(patterns.iter().map(|p| p.parse().unwrap()).collect());
    let list = hosts(&["hooks.example.com", "*.Example.org", "203.0.114.7"]);
    for (host, expected) in [
        ("hooks.example.com", true),
        ("hooks.example.com.", true),
        ("a.b.example.org", true),
        ("203.0.114.7", true),
        ("example.org", false),
        ("evilexample.org", false),
        ("example.com", false),
        ("hooks.example.com.evil.net", false),
    ] {
        assert_eq!(list.admit(host), expected, "{host}");
    }
    assert!(Hosts::default().admit("anything.example"));
    let url = "https://other.example.com/";
    let denied = Destination::parse(url, &strict(), &list).unwrap_err();
    assert_eq!(denied, Denied::Host);
    for bad in ["", "*", "*.", "*.10.0.0.1", "a b", "a/b", "https://a"] {
        assert!(bad.parse::<HostPattern>().is_err(), "{bad}");
    }
}

/// The oracle: what the standard library itself says of an address, and the registries' prefixes
/// written as comparisons. Kept apart from the table under test.
fn plainly_inside(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_unspecified()
        || address.is_documentation()
        || a == 0
        || a >= 224
        || (a == 100 && b & 0xc0 == 64)
}

proptest! {
    /// EGRESS-1: no address of a network that the internet does not route is public.
    #[test]
    fn inside_addresses_are_never_public(bits in any::<u32>()) {
        let address = Ipv4Addr::from_bits(bits);
        if plainly_inside(address) {
            prop_assert_ne!(Class::of(address.into()), Class::Public);
            prop_assert!(strict().admit(&[address.into()]).is_err());
        }
    }

    /// EGRESS-2: however an IPv4 address is packed into IPv6, it is not reached, opened or not.
    #[test]
    fn no_ipv4_address_passes_inside_ipv6(bits in any::<u32>()) {
        let v4 = Ipv4Addr::from_bits(bits);
        let low = u128::from(bits);
        let packed = [
            v4.to_ipv6_mapped(),
            v4.to_ipv6_compatible(),
            Ipv6Addr::from_bits(0xffff << 48 | low),
            Ipv6Addr::from_bits(0x0064_ff9b << 96 | low),
            Ipv6Addr::from_bits(0x0064_ff9b_0001 << 80 | low),
            Ipv6Addr::from_bits(0x2002 << 112 | low << 80),
            Ipv6Addr::from_bits(0x2001 << 112 | low),
            Ipv6Addr::from_bits(0x2a00 << 112 | 0x5efe << 32 | low),
        ];
        for address in packed {
            prop_assert!(lab().admit(&[address.into()]).is_err(), "{}", address);
        }
    }

    /// EGRESS-3: what lies outside the global unicast space of IPv6 is never public.
    #[test]
    fn only_global_unicast_is_public(bits in any::<u128>()) {
        let address = Ipv6Addr::from_bits(bits);
        if bits >> 125 != 1 {
            prop_assert_ne!(Class::of(address.into()), Class::Public);
        }
    }

    /// EGRESS-4: whatever text comes, what is admitted is https to an allowed port, without
    /// credentials, and reads the same again.
    #[test]
    fn what_is_admitted_reads_the_same_again(text in "https?://[a-z0-9.:@\\[\\]/%#?\\-]{1,40}") {
        if let Ok(found) = Destination::parse(&text, &strict(), &Hosts::default()) {
            prop_assert!(found.is_https());
            prop_assert!(HTTPS_PORTS.contains(&found.port()));
            prop_assert!(found.url().username().is_empty());
            let again = Destination::parse(found.url().as_str(), &strict(), &Hosts::default());
            prop_assert_eq!(again, Ok(found));
        }
    }
}
