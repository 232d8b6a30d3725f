//! The battery of proofs that must be refused, and the few that must not.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use serde_json::json;

use super::*;

const NOW: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);
const NOW_S: i64 = 1_767_225_600;

/// Somebody with a key of its own.
enum Holder {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

impl Holder {
    fn ed25519(seed: u8) -> Self {
        Self::Ed25519(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }

    fn p256() -> Self {
        Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    fn jwk(&self) -> Value {
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": part(pair.public_key().as_ref())})
            }
            Self::P256(pair) => {
                let point = pair.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "x": part(&point[1..33]), "y": part(&point[33..])})
            }
        }
    }

    fn thumbprint(&self) -> String {
        let key = VerifyingKey::from_jwk(self.jwk().as_object().unwrap());
        key.unwrap().unwrap().thumbprint()
    }

    fn header(&self) -> Value {
        let alg = match self {
            Self::Ed25519(_) => "EdDSA",
            Self::P256(_) => "ES256",
        };
        json!({"typ": "dpop+jwt", "alg": alg, "jwk": self.jwk()})
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = match self {
            Self::Ed25519(pair) => pair.sign(signed.as_bytes()).as_ref().to_vec(),
            Self::P256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), signed.as_bytes());
                signature.unwrap().as_ref().to_vec()
            }
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn dpop() -> Dpop {
    let url = "https://jobs.example/engine/".parse().unwrap();
    Dpop::new(
        url,
        Algorithm::USUAL,
        InstallationSecret::from_bytes(&[7; 32]),
    )
}

fn token() -> Digest {
    Digest::of(b"token")
}

fn claims() -> Value {
    json!({
        "jti": "p-1", "htm": "POST", "htu": "https://jobs.example/engine/api/v1/runs/7:cancel",
        "iat": NOW_S, "ath": URL_SAFE_NO_PAD.encode(token().as_bytes()),
    })
}

fn with(mut base: Value, name: &str, value: Value) -> Value {
    base[name] = value;
    base
}

fn check(holder: &Holder, header: &Value, claims: &Value) -> Result<Proof, &'static str> {
    let (token, key) = (token(), holder.thumbprint());
    let expected = Expected {
        method: "POST",
        path: "/api/v1/runs/7:cancel",
        token: &token,
        key: &key,
    };
    dpop().check(&holder.sign(header, claims), expected, NOW)
}

#[test]
fn good_proofs_of_both_kinds_of_key_are_taken() {
    for holder in [Holder::ed25519(1), Holder::p256()] {
        let proof = check(&holder, &holder.header(), &claims()).unwrap();
        assert_eq!(proof.issued_at, NOW);
        for (name, value) in [
            ("iat", json!(NOW_S - 90)),
            ("iat", json!(NOW_S + 30)),
            (
                "htu",
                json!("HTTPS://Jobs.Example:443/engine/api/v1/runs/7:cancel?a=1#b"),
            ),
            ("extra", json!(true)),
        ] {
            let good = check(
                &holder,
                &holder.header(),
                &with(claims(), name, value.clone()),
            );
            assert!(good.is_ok(), "{name} {value}");
        }
        let other = check(
            &holder,
            &holder.header(),
            &with(claims(), "jti", json!("p-2")),
        );
        assert_ne!(other.unwrap().digest, proof.digest);
    }
}

#[test]
fn claims_that_do_not_fit_are_refused() {
    let holder = Holder::ed25519(1);
    for (name, value) in [
        ("jti", json!("")),
        ("jti", json!(7)),
        ("jti", json!("x".repeat(257))),
        ("htm", json!("post")),
        ("htm", json!("GET")),
        (
            "htu",
            json!("http://jobs.example/engine/api/v1/runs/7:cancel"),
        ),
        (
            "htu",
            json!("https://evil.example/engine/api/v1/runs/7:cancel"),
        ),
        ("htu", json!("https://jobs.example/api/v1/runs/7:cancel")),
        (
            "htu",
            json!("https://jobs.example/engine/api/v1/runs/8:cancel"),
        ),
        (
            "htu",
            json!("https://jobs.example.evil/engine/api/v1/runs/7:cancel"),
        ),
        ("htu", json!("/engine/api/v1/runs/7:cancel")),
        ("htu", json!("")),
        ("iat", json!(NOW_S - 91)),
        ("iat", json!(NOW_S + 31)),
        ("iat", json!(i64::MAX)),
        ("iat", json!("1767225600")),
        ("iat", json!(1_767_225_600.5)),
        ("ath", json!("")),
        (
            "ath",
            json!(URL_SAFE_NO_PAD.encode(Digest::of(b"another").as_bytes())),
        ),
    ] {
        let bad = check(
            &holder,
            &holder.header(),
            &with(claims(), name, value.clone()),
        );
        assert!(bad.is_err(), "{name} {value}");
    }
    for name in ["jti", "htm", "htu", "iat", "ath"] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        assert!(
            check(&holder, &holder.header(), &claims).is_err(),
            "without {name}"
        );
    }
}

#[test]
fn headers_and_keys_that_do_not_fit_are_refused() {
    let holder = Holder::ed25519(1);
    let other = Holder::ed25519(2);
    let mut private = holder.jwk();
    private["d"] = json!("AA");
    for (name, value) in [
        ("typ", json!("JWT")),
        ("typ", json!("at+jwt")),
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("alg", json!("ES256")),
        ("jwk", json!(null)),
        ("jwk", private),
        ("jwk", other.jwk()),
        ("jwk", Holder::p256().jwk()),
        ("jwk", json!({"kty": "oct"})),
        ("jku", json!("https://evil/keys")),
        ("crit", json!(["b64"])),
    ] {
        let bad = check(
            &holder,
            &with(holder.header(), name, value.clone()),
            &claims(),
        );
        assert!(bad.is_err(), "{name} {value}");
    }
    // A sound proof by somebody who does not hold the token's key.
    let (token, key) = (token(), holder.thumbprint());
    let expected = Expected {
        method: "POST",
        path: "/api/v1/runs/7:cancel",
        token: &token,
        key: &key,
    };
    let proof = other.sign(&other.header(), &claims());
    assert!(dpop().check(&proof, expected, NOW).is_err());
    assert!(dpop().check("a.b", expected, NOW).is_err());
}

#[test]
fn a_nonce_is_ours_and_ages() {
    let (dpop, holder) = (dpop(), Holder::ed25519(1));
    let nonce = dpop.nonce(NOW).to_str().unwrap().to_owned();
    let state = |nonce: Option<&str>, after_s: u64| {
        let mut claims = claims();
        if let Some(nonce) = nonce {
            claims["nonce"] = json!(nonce);
        }
        let proof = check(&holder, &holder.header(), &claims).unwrap();
        dpop.nonce_state(&proof, NOW.plus_ms(after_s * 1_000))
    };
    for (after_s, found) in [
        (0, NonceState::Current),
        (59, NonceState::Current),
        (60, NonceState::Ageing),
        (359, NonceState::Ageing),
        (360, NonceState::Wanted),
    ] {
        assert_eq!(state(Some(&nonce), after_s), found, "after {after_s} s");
    }
    assert_eq!(state(None, 0), NonceState::Wanted);
    let later = Dpop::nonce(&dpop, NOW.plus_ms(180_000));
    assert_eq!(
        state(later.to_str().ok(), 0),
        NonceState::Wanted,
        "of a time to come"
    );
    let foreign = Dpop::new(
        dpop.url.clone(),
        Algorithm::USUAL,
        InstallationSecret::from_bytes(&[8; 32]),
    )
    .nonce(NOW);
    for bad in [
        "",
        "AAAAAAAAAAA",
        &"A".repeat(32),
        foreign.to_str().unwrap(),
        "é",
    ] {
        assert_eq!(state(Some(bad), 0), NonceState::Wanted, "{bad}");
    }
}

#[test]
fn the_public_url_is_read_strictly() {
    for bad in [
        "",
        "jobs.example",
        "ftp://jobs.example",
        "https://",
        "https:///x",
        "https://a@b/",
        "https://a/?q",
        "https://a/#f",
    ] {
        assert!(bad.parse::<PublicUrl>().is_err(), "{bad}");
    }
}
