//! Key sets of issuers: every algorithm right and wrong, keys that change, sets that are not there.

use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use jobengine_api::{Algorithm, Authenticator, KeySource, TrustedIssuer};
use serde_json::{Value, json};

use super::door::{Door, claims, header, proxied, with};
use super::signer::Signer;

const ALL: [Algorithm; 3] = [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Ps256];

fn set(keys: &[(&str, &Signer)]) -> String {
    let keys: Vec<Value> = keys.iter().map(|(kid, key)| key.named(kid)).collect();
    json!({"keys": keys}).to_string()
}

/// An issuer's key set behind a URL.
async fn published(document: String) -> String {
    let router = Router::new().route("/keys", get(async move || document));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn door(keys: KeySource) -> Door {
    let issuer = TrustedIssuer::new("https://issuer", "jobengine", keys);
    Door::trusting(|_| Authenticator::trusting([issuer]), proxied()).await
}

#[tokio::test]
async fn each_key_verifies_its_own_algorithm_and_no_other() {
    let signers = [
        ("ed", Signer::ed25519(1)),
        ("ec", Signer::p256()),
        ("rsa", Signer::rsa()),
    ];
    let keys: Vec<(&str, &Signer)> = signers.iter().map(|(kid, key)| (*kid, key)).collect();
    let url = published(set(&keys)).await;
    let all = door(KeySource::url(&url, ALL).unwrap()).await;
    let usual = door(KeySource::url(&url, Algorithm::USUAL).unwrap()).await;
    for (kid, signer) in &signers {
        let header = header(signer, kid);
        let good = signer.sign(&header, &claims());
        assert!(all.lets_in(&good).await, "{kid}");
        assert_eq!(
            usual.lets_in(&good).await,
            *kid != "rsa",
            "{kid}, unless asked for"
        );
        assert!(
            !all.lets_in(&signer.sign_otherwise(&header, &claims()))
                .await,
            "{kid}"
        );
        for (other, _) in signers.iter().filter(|(other, _)| other != kid) {
            let crossed = with(header.clone(), "kid", json!(other));
            assert!(
                !all.lets_in(&signer.sign(&crossed, &claims())).await,
                "{kid} as {other}"
            );
        }
        for alg in ["EdDSA", "ES256", "PS256", "RS256", "HS256", "none"] {
            let said = with(header.clone(), "alg", json!(alg));
            let let_in = all.lets_in(&signer.sign(&said, &claims())).await;
            assert_eq!(let_in, alg == signer.alg(), "{kid} as {alg}");
        }
    }
}

#[tokio::test]
async fn a_withdrawn_key_takes_its_tokens_with_it() {
    let path = PathBuf::from(format!(
        "{}/keys-{}.json",
        std::env::temp_dir().display(),
        std::process::id()
    ));
    let (old, new) = (Signer::ed25519(1), Signer::p256());
    std::fs::write(&path, set(&[("old", &old)])).unwrap();
    let door = door(KeySource::file(path.clone(), ALL)).await;
    let of_old = old.sign(&header(&old, "old"), &claims());
    let of_new = new.sign(&header(&new, "new"), &claims());
    assert!(door.lets_in(&of_old).await);
    assert!(!door.lets_in(&of_new).await);
    std::fs::write(&path, set(&[("old", &old), ("new", &new)])).unwrap();
    until(&door, &of_new, true).await;
    assert!(door.lets_in(&of_old).await, "both hold while keys rotate");
    std::fs::write(&path, set(&[("new", &new)])).unwrap();
    until(&door, &of_old, false).await;
    assert!(door.lets_in(&of_new).await);
    // Another key under the old name makes no old token good.
    std::fs::write(&path, set(&[("old", &Signer::ed25519(2)), ("new", &new)])).unwrap();
    until(
        &door,
        &Signer::ed25519(2).sign(&header(&old, "old"), &claims()),
        true,
    )
    .await;
    assert!(!door.lets_in(&of_old).await);
    std::fs::remove_file(path).unwrap();
}

/// Files are looked at once a second.
async fn until(door: &Door, token: &str, good: bool) {
    for _ in 0..60 {
        if door.lets_in(token).await == good {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the new set does not count");
}

#[tokio::test]
async fn without_a_set_it_is_our_failure_and_not_the_token_s() {
    let signer = Signer::ed25519(1);
    let token = signer.sign(&header(&signer, "a"), &claims());
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nowhere = format!("http://{}/keys", nobody.local_addr().unwrap());
    drop(nobody);
    let private = with(signer.named("a"), "d", json!("AAAA"));
    for url in [
        nowhere,
        published(String::new()).await,
        published(json!({"keys": [private]}).to_string()).await,
        published(set(&[("a", &signer), ("a", &Signer::p256())])).await,
    ] {
        let door = door(KeySource::url(&url, ALL).unwrap()).await;
        let answer = door.show(&format!("Bearer {token}")).await;
        assert_eq!(answer.problem(), (503, "KEYS_UNAVAILABLE"), "{url}");
        // Not a failure of the caller: it is never made to wait for it.
        for _ in 0..25 {
            assert_eq!(door.show(&format!("Bearer {token}")).await.status, 503);
        }
        assert!(
            !door.lets_in("a.b.c").await,
            "what is no token at all is told so"
        );
    }
}
