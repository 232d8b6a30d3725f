//! Issuers and holders with keys of every kind, who sign whatever they are asked to.

use std::collections::BTreeMap;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jobengine_domain::digest::Digest;
use serde_json::{Value, json};

pub(super) enum Signer {
    Ed25519(Ed25519KeyPair),
    /// The second one writes signatures in DER, as tokens must not have them.
    P256(EcdsaKeyPair, EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

pub(super) fn part(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What stands before the second dot.
pub(super) fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", part(header.to_string()), part(claims.to_string()))
}

impl Signer {
    pub(super) fn ed25519(seed: u8) -> Self {
        Self::Ed25519(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }

    pub(super) fn p256() -> Self {
        let random = SystemRandom::new();
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = |algorithm| EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref()).unwrap();
        Self::P256(
            pair(&ECDSA_P256_SHA256_FIXED_SIGNING),
            pair(&ECDSA_P256_SHA256_ASN1_SIGNING),
        )
    }

    pub(super) fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    pub(super) const fn alg(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "EdDSA",
            Self::P256(..) => "ES256",
            Self::Rsa(_) => "PS256",
        }
    }

    /// The public half.
    pub(super) fn jwk(&self) -> Value {
        match self {
            Self::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": part(pair.public_key().as_ref())})
            }
            Self::P256(pair, _) => {
                let point = pair.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "x": part(&point[1..33]), "y": part(&point[33..])})
            }
            Self::Rsa(pair) => {
                // SEQUENCE { INTEGER n, INTEGER e } of RFC 8017, with a modulus of 256 bytes.
                let der = pair.public_key().as_ref();
                json!({"kty": "RSA", "n": part(&der[9..265]), "e": "AQAB"})
            }
        }
    }

    pub(super) fn named(&self, kid: &str) -> Value {
        let mut jwk = self.jwk();
        jwk["kid"] = json!(kid);
        jwk
    }

    /// RFC 7638: over the members in their order.
    pub(super) fn thumbprint(&self) -> String {
        let jwk: BTreeMap<String, Value> = serde_json::from_value(self.jwk()).unwrap();
        let canonical = serde_json::to_vec(&jwk).unwrap();
        part(Digest::of(&canonical).as_bytes())
    }

    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        let text = unsigned(header, claims);
        let random = SystemRandom::new();
        let signature = match self {
            Self::Ed25519(pair) => pair.sign(text.as_bytes()).as_ref().to_vec(),
            Self::P256(pair, _) => pair
                .sign(&random, text.as_bytes())
                .unwrap()
                .as_ref()
                .to_vec(),
            Self::Rsa(pair) => rsa(pair, &RSA_PSS_SHA256, &text),
        };
        format!("{text}.{}", part(signature))
    }

    /// With the same key, but in a way that its algorithm is not written.
    pub(super) fn sign_otherwise(&self, header: &Value, claims: &Value) -> String {
        let text = unsigned(header, claims);
        let random = SystemRandom::new();
        let signature = match self {
            Self::Ed25519(pair) => pair
                .sign(&Digest::of(text.as_bytes()).as_bytes()[..])
                .as_ref()
                .to_vec(),
            Self::P256(_, der) => der
                .sign(&random, text.as_bytes())
                .unwrap()
                .as_ref()
                .to_vec(),
            Self::Rsa(pair) => rsa(pair, &RSA_PKCS1_SHA256, &text),
        };
        format!("{text}.{}", part(signature))
    }
}

fn rsa(pair: &RsaKeyPair, encoding: &'static dyn RsaEncoding, text: &str) -> Vec<u8> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(
        encoding,
        &SystemRandom::new(),
        text.as_bytes(),
        &mut signature,
    )
    .unwrap();
    signature
}
