//! Where a request comes from.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::HeaderMap;
use jobengine_domain::network::Network;

/// What a proxy says of the address before it.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// How a request arrived, before anything was rewritten. Stands in its extensions.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    /// The client's address; that of the connection unless a proxy of ours names another.
    pub(crate) remote: IpAddr,
    /// The path as it came.
    pub(crate) path: Arc<str>,
}

/// The client's address: read from the right, the first that is not one of our own proxies. What
/// stands further left, anybody may have written.
pub(crate) fn client(peer: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> IpAddr {
    let is_ours = |address: IpAddr| proxies.iter().any(|network| network.contains(address));
    let peer = peer.to_canonical();
    if !is_ours(peer) {
        return peer;
    }
    let named: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .collect();
    let mut last = peer;
    for text in named.into_iter().rev() {
        let Ok(address) = text.trim().parse::<IpAddr>() else {
            break;
        };
        last = address.to_canonical();
        if !is_ours(last) {
            break;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_proxies_are_believed() {
        let proxies = ["10.0.0.0/8".parse().unwrap()];
        for (peer, header, found) in [
            ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
            ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "1.1.1.1, 198.51.100.7", "198.51.100.7"),
            (
                "10.0.0.1",
                "1.1.1.1, 198.51.100.7, 10.0.0.2",
                "198.51.100.7",
            ),
            ("::ffff:10.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.1", "unknown", "10.0.0.1"),
            ("10.0.0.1", "nonsense, 10.0.0.3", "10.0.0.3"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(FORWARDED_FOR, header.parse().unwrap());
            let client = client(peer.parse().unwrap(), &headers, &proxies);
            assert_eq!(client, found.parse::<IpAddr>().unwrap(), "{peer} {header}");
        }
    }
}
