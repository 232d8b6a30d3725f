//! A service at whose door many strangers knock, each from an address of its own.

use std::sync::atomic::{AtomicU32, Ordering};

use jobengine_api::{Authenticator, DevIssuer, ServerConfig};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::signer::Signer;
use crate::service::{Answer, OURS, Service, send};

pub(super) struct Door {
    pub(super) service: Service,
    strangers: AtomicU32,
}

/// Seconds since 1970, as issuers count.
pub(super) fn now_s() -> i64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// What a good token says.
pub(super) fn claims() -> Value {
    let now = now_s();
    json!({
        "iss": "https://issuer", "aud": "jobengine", "exp": now + 600, "iat": now, "sub": "s",
        "client_id": "c", "jti": format!("j-{now}"), "tenant": OURS.0, "scope": "orch:read orch:operate",
    })
}

/// The header of a signer's token.
pub(super) fn header(signer: &Signer, kid: &str) -> Value {
    json!({"typ": "at+jwt", "alg": signer.alg(), "kid": kid})
}

/// A document with one member set.
pub(super) fn with(mut base: Value, name: &str, value: Value) -> Value {
    base[name] = value;
    base
}

/// A document without one member.
pub(super) fn without(mut base: Value, name: &str) -> Value {
    base.as_object_mut().unwrap().remove(name);
    base
}

/// A set-up whose clients come through a proxy, so that each can have its own address.
pub(super) fn proxied() -> ServerConfig {
    ServerConfig {
        proxies: vec!["127.0.0.0/8".parse().unwrap()],
        ..ServerConfig::default()
    }
}

impl Door {
    pub(super) async fn open() -> Self {
        Self::trusting(DevIssuer::authenticator, proxied()).await
    }

    pub(super) async fn trusting(
        trust: impl FnOnce(&DevIssuer) -> Authenticator,
        config: ServerConfig,
    ) -> Self {
        Self {
            service: Service::set_up(trust, config).await,
            strangers: AtomicU32::new(0),
        }
    }

    /// A request from an address nobody has used yet.
    pub(super) fn stranger(&self, method: Method, path: &str) -> RequestBuilder {
        let number = self.strangers.fetch_add(1, Ordering::Relaxed);
        let address = std::net::Ipv4Addr::from(0x0a00_0000 + number);
        self.from(&address.to_string(), method, path)
    }

    /// A request from this address.
    pub(super) fn from(&self, address: &str, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/api/v1/orchestrator{path}", self.service.url);
        let request = self.service.http.request(method, url);
        request.header("x-forwarded-for", address)
    }

    /// Shows this in `Authorization`, and asks for something small.
    pub(super) async fn show(&self, authorization: &str) -> Answer {
        let request = self.stranger(Method::GET, "/jobs?limit=1");
        send(request.header("authorization", authorization)).await
    }

    /// Whether a bearer credential is let in; the only other answer is 401.
    pub(super) async fn lets_in(&self, credential: &str) -> bool {
        let answer = self.show(&format!("Bearer {credential}")).await;
        if answer.status == 200 {
            return true;
        }
        assert_eq!(answer.problem(), (401, "UNAUTHENTICATED"));
        assert_eq!(answer.body["detail"], "send a valid bearer token");
        false
    }
}
