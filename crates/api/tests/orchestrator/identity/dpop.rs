//! Tokens that are bound to a key: with a fresh proof they open the door, without they are nothing.

use jobengine_api::{Authenticator, DevIssuer, ServerConfig};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::door::{Door, claims, header, now_s, proxied, with, without};
use super::signer::{Signer, part};
use jobengine_domain::digest::Digest;

const HERE: &str = "https://jobs.example";

/// A holder of a bound token, and the door.
struct Holder {
    door: Door,
    key: Signer,
    token: String,
    plain: String,
}

impl Holder {
    async fn start(key: Signer) -> Self {
        let config = ServerConfig {
            public_url: Some(HERE.parse().unwrap()),
            ..proxied()
        };
        let door = Door::trusting(DevIssuer::authenticator, config).await;
        Self::at(door, key)
    }

    fn at(door: Door, key: Signer) -> Self {
        let issuer = Signer::ed25519(7);
        let header = header(&issuer, &Authenticator::kid(&door.service.issuer.public()));
        let bound = with(claims(), "cnf", json!({"jkt": key.thumbprint()}));
        Self {
            token: issuer.sign(&header, &bound),
            plain: issuer.sign(&header, &claims()),
            door,
            key,
        }
    }

    fn head(&self) -> Value {
        json!({"typ": "dpop+jwt", "alg": self.key.alg(), "jwk": self.key.jwk()})
    }

    fn about(&self, method: &str, path: &str, nonce: Option<&str>) -> Value {
        let jti: uuid::Uuid =
            jobengine_store::draw(jobengine_domain::time::Timestamp::from_micros(0));
        let about = json!({
            "jti": jti, "htm": method, "htu": format!("{HERE}/api/v1/orchestrator{path}"), "iat": now_s(),
            "ath": part(Digest::of(self.token.as_bytes()).as_bytes()),
        });
        match nonce {
            Some(nonce) => with(about, "nonce", json!(nonce)),
            None => about,
        }
    }

    async fn send(&self, method: Method, path: &str, scheme: &str, proofs: &[String]) -> Response {
        let token = if scheme == "plain" {
            &self.plain
        } else {
            &self.token
        };
        let scheme = if scheme == "Bearer" { "Bearer" } else { "DPoP" };
        let mut request = self.door.stranger(method, path);
        request = request.header("authorization", format!("{scheme} {token}"));
        for proof in proofs {
            request = request.header("dpop", proof);
        }
        request.send().await.unwrap()
    }

    /// Asks for something small with a proof of these claims.
    async fn ask(&self, claims: &Value) -> Response {
        let proof = self.key.sign(&self.head(), claims);
        self.send(Method::GET, "/jobs", "DPoP", &[proof]).await
    }

    async fn nonce(&self) -> String {
        let response = self.ask(&self.about("GET", "/jobs", None)).await;
        assert_eq!(response.status(), 401);
        let challenge = response.headers()["www-authenticate"].to_str().unwrap();
        assert_eq!(challenge, "DPoP error=\"use_dpop_nonce\"");
        let nonce = response.headers()["dpop-nonce"]
            .to_str()
            .unwrap()
            .to_owned();
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["code"], "DPOP_NONCE_REQUIRED");
        nonce
    }
}

#[tokio::test]
async fn a_fresh_proof_counts_once() {
    for key in [Signer::ed25519(3), Signer::p256()] {
        let holder = Holder::start(key).await;
        let nonce = holder.nonce().await;
        let about = holder.about("GET", "/jobs", Some(&nonce));
        assert_eq!(holder.ask(&about).await.status(), 200);
        let again = holder.ask(&about).await;
        assert_eq!(again.status(), 401, "seen before");
        assert!(again.headers().get("dpop-nonce").is_none());
        let challenge = again.headers()["www-authenticate"].to_str().unwrap();
        assert_eq!(challenge, "Bearer, DPoP algs=\"EdDSA ES256\"");
        let next = holder.about("GET", "/jobs", Some(&nonce));
        assert_eq!(
            holder.ask(&next).await.status(),
            200,
            "a nonce counts for some minutes"
        );
        // Two at once: one of them.
        let about = holder.about("GET", "/jobs", Some(&nonce));
        let (one, two) = tokio::join!(holder.ask(&about), holder.ask(&about));
        assert_eq!(one.status().as_u16() + two.status().as_u16(), 601);
    }
}

#[tokio::test]
async fn a_bound_token_is_no_bearer_and_a_bearer_is_not_bound() {
    let holder = Holder::start(Signer::ed25519(3)).await;
    let nonce = holder.nonce().await;
    let proof = || {
        holder
            .key
            .sign(&holder.head(), &holder.about("GET", "/jobs", Some(&nonce)))
    };
    for (scheme, proofs) in [
        ("Bearer", vec![]),
        ("Bearer", vec![proof()]),
        ("DPoP", vec![]),
        ("DPoP", vec![proof(), proof()]),
        ("DPoP", vec!["nonsense".to_owned()]),
        ("plain", vec![proof()]),
    ] {
        let response = holder.send(Method::GET, "/jobs", scheme, &proofs).await;
        assert_eq!(
            response.status(),
            401,
            "{scheme} with {} proofs",
            proofs.len()
        );
    }
    assert!(holder.door.lets_in(&holder.plain).await);
    assert!(!holder.door.lets_in(&holder.token).await);
}

#[tokio::test]
async fn a_proof_is_about_one_request_one_token_one_key_and_one_moment() {
    let holder = Holder::start(Signer::ed25519(3)).await;
    let nonce = holder.nonce().await;
    let about = || holder.about("GET", "/jobs", Some(&nonce));
    for (name, value) in [
        ("htm", json!("POST")),
        ("htu", json!(format!("{HERE}/api/v1/orchestrator/runs"))),
        (
            "htu",
            json!("https://evil.example/api/v1/orchestrator/jobs"),
        ),
        (
            "htu",
            json!(format!(
                "{}/api/v1/orchestrator/jobs",
                holder.door.service.url
            )),
        ),
        ("iat", json!(now_s() - 100)),
        ("iat", json!(now_s() + 100)),
        (
            "ath",
            json!(part(Digest::of(holder.plain.as_bytes()).as_bytes())),
        ),
        ("jti", json!(null)),
    ] {
        let bad = holder.ask(&with(about(), name, value.clone())).await;
        assert_eq!(bad.status(), 401, "{name} {value}");
        let problem: Value = bad.json().await.unwrap();
        assert_eq!(problem["code"], "UNAUTHENTICATED", "{name} {value}");
    }
    for name in ["jti", "htm", "htu", "iat", "ath"] {
        let bad = holder.ask(&without(about(), name)).await;
        assert_eq!(bad.status(), 401, "without {name}");
    }
    for nonce in ["", "AAAA", &"A".repeat(32)] {
        let bad = holder.ask(&with(about(), "nonce", json!(nonce))).await;
        let problem: Value = bad.json().await.unwrap();
        assert_eq!(problem["code"], "DPOP_NONCE_REQUIRED", "{nonce}");
    }
    let thief = Signer::ed25519(4);
    let head = with(holder.head(), "jwk", thief.jwk());
    for proof in [
        thief.sign(&head, &about()),
        thief.sign(&holder.head(), &about()),
        holder
            .key
            .sign(&with(holder.head(), "typ", json!("JWT")), &about()),
        holder
            .key
            .sign(&with(holder.head(), "alg", json!("none")), &about()),
    ] {
        let bad = holder.send(Method::GET, "/jobs", "DPoP", &[proof]).await;
        assert_eq!(bad.status(), 401);
    }
}

#[tokio::test]
async fn the_path_of_a_proof_is_the_one_that_was_sent() {
    let holder = Holder::start(Signer::ed25519(3)).await;
    let nonce = holder.nonce().await;
    let path = format!("/jobs/{}:cancel", uuid::Uuid::from_u128(1));
    let about = holder.about("POST", &path, Some(&nonce));
    let proof = holder.key.sign(&holder.head(), &about);
    let response = holder.send(Method::POST, &path, "DPoP", &[proof]).await;
    assert_eq!(response.status(), 404, "known, and nothing there");
    let about = holder.about("GET", "/jobs", Some(&nonce));
    let proof = holder.key.sign(&holder.head(), &about);
    let response = holder
        .send(Method::GET, "/jobs?limit=2", "DPoP", &[proof])
        .await;
    assert_eq!(response.status(), 200, "the query does not count");
}

#[tokio::test]
async fn without_an_address_of_its_own_a_service_takes_no_proofs() {
    let door = Door::open().await;
    let holder = Holder::at(door, Signer::ed25519(3));
    let response = holder.ask(&holder.about("GET", "/jobs", None)).await;
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
}

#[tokio::test]
async fn old_proofs_are_forgotten_and_young_ones_are_not() {
    let holder = Holder::start(Signer::ed25519(3)).await;
    let nonce = holder.nonce().await;
    let about = holder.about("GET", "/jobs", Some(&nonce));
    assert_eq!(holder.ask(&about).await.status(), 200);
    let service = &holder.door.service;
    service
        .sql(
            "INSERT INTO orch.dpop_proof SELECT tenant_id, s, sha256(s::text::bytea)
             FROM orch.tenant, generate_series(0, 7) s",
        )
        .await;
    service.store.dpop_proofs_trim().await.unwrap();
    assert_eq!(holder.ask(&about).await.status(), 401, "still known");
    service
        .sql("DO $$ BEGIN ASSERT (SELECT count(DISTINCT slot) FROM orch.dpop_proof) = 6; END $$")
        .await;
}
