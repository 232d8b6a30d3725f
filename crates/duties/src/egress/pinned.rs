//! A name server that knows one answer: the addresses that were judged.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Answers every question with the same addresses, so that the client cannot ask anybody else.
#[derive(Debug)]
pub(super) struct Pinned(Vec<SocketAddr>);

impl Pinned {
    pub(super) const fn new(addresses: Vec<SocketAddr>) -> Self {
        Self(addresses)
    }
}

impl Resolve for Pinned {
    fn resolve(&self, _: Name) -> Resolving {
        let addresses: Addrs = Box::new(self.0.clone().into_iter());
        Box::pin(std::future::ready(Ok(addresses)))
    }
}
