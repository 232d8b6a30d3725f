//! Delivery over TLS, to a receiver whose certificate a site's own authority signed.
//!
//! `tls/` holds that authority's certificate, and the receiver's for `localhost` with its key; both hold until 2126.
//! They were made with `openssl req -x509 -addext basicConstraints=critical,CA:TRUE` and `openssl x509 -req`
//! with `subjectAltName=DNS:localhost`; the authority's key was thrown away.

use std::sync::Arc;

use jobengine_domain::egress::EgressPolicy;
use jobengine_duties::egress::Authorities;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use crate::delivery::{WELL, expected};
use crate::house::{House, OURS, job, secret};
use crate::receiver::Receiver;

fn tls() -> TlsAcceptor {
    let certificate = CertificateDer::from_slice(include_bytes!("tls/receiver.der"));
    let key = PrivatePkcs8KeyDer::from(include_bytes!("tls/receiver-key.der").as_slice());
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key.into())
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Sends one event to a URL of the receiver; what the delivery's error is, if it has one.
async fn delivered(authorities: &Authorities, host: &str) -> (Receiver, Option<String>) {
    let policy = EgressPolicy::default().with_loopback();
    let house = House::trusting(policy, authorities).await;
    let receiver = Receiver::behind(Some(tls()), WELL).await;
    let url = format!("https://{host}:{}/hook", receiver.port);
    let webhook = house.webhook(OURS, &url, &["job.*"], &[]).await;
    house.submit(OURS, &[job("scan")]).await;
    house.attempted(webhook, 1).await;
    let deliveries = house.deliveries(webhook).await;
    let error = deliveries[0].error.clone();
    (receiver, error)
}

#[tokio::test]
async fn a_sites_own_authority_is_trusted_when_it_is_named_and_not_otherwise() {
    let mut own = Authorities::default();
    own.add_pem(include_bytes!("tls/authority.pem")).unwrap();
    let (receiver, error) = delivered(&own, "localhost").await;
    assert_eq!(error, None);
    let seen = receiver.seen();
    assert_eq!(seen.len(), 1);
    let signature = expected(secret().bytes(), &seen[0]);
    assert_eq!(seen[0].header("webhook-signature"), signature);

    let unknown = Authorities::default();
    // The authority is not known; and, where it is, the certificate is for another name.
    for (authorities, host) in [(&unknown, "localhost"), (&own, "127.0.0.1")] {
        let (receiver, error) = delivered(authorities, host).await;
        assert_eq!(error.as_deref(), Some("CONNECT_FAILED"), "{host}");
        assert!(receiver.seen().is_empty(), "nothing was said to {host}");
    }
}
