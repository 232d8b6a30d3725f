//! Keys that verify signatures. What a key can verify is fixed when it is read, never by a token.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jobengine_domain::digest::Digest;
use jobengine_domain::dsse::PublicKey;
use serde_json::{Map, Value};

/// A signature algorithm of tokens (RFC 7518 section 3.1, RFC 8037). There is no HMAC among them: a
/// public key must never serve as a shared secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// Ed25519.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSASSA-PSS with SHA-256; only where the installation asks for it.
    Ps256,
}

impl Algorithm {
    /// What is believed unless the installation says otherwise.
    pub const USUAL: [Self; 2] = [Self::EdDsa, Self::Es256];

    /// The spelling in a token's header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Ps256 => "PS256",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An algorithm that is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is none of EdDSA, ES256, PS256")]
pub struct UnknownAlgorithm(String);

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::EdDsa, Self::Es256, Self::Ps256]
            .into_iter()
            .find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownAlgorithm(text.to_owned()))
    }
}

/// A public key and the one algorithm it verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum VerifyingKey {
    /// The 32 bytes of RFC 8032.
    Ed25519([u8; 32]),
    /// An uncompressed point: 4, x, y.
    P256([u8; 65]),
    /// Modulus and exponent, big-endian without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

/// Bounds of an RSA modulus, in bytes: 2048 to 4096 bits.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=512;

impl VerifyingKey {
    /// The algorithm of the key; a header that names another one is refused.
    pub(super) const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::EdDsa,
            Self::P256(_) => Algorithm::Es256,
            Self::Rsa { .. } => Algorithm::Ps256,
        }
    }

    /// Whether `signature` was made over `message` with the other half of this key.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let verified = match self {
            Self::Ed25519(bytes) => {
                UnparsedPublicKey::new(&ED25519, bytes).verify(message, signature)
            }
            Self::P256(bytes) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, bytes).verify(message, signature)
            }
            Self::Rsa { n, e } => RsaPublicKeyComponents { n, e }.verify(
                &RSA_PSS_2048_8192_SHA256,
                message,
                signature,
            ),
        };
        verified.is_ok()
    }

    /// Reads a JWK (RFC 7517, RFC 7518 section 6, RFC 8037 section 2). `None` for a key of a kind,
    /// use or algorithm that is not ours: a set may hold such keys for others.
    ///
    /// # Errors
    /// What is wrong with a key that would be ours, or with any that shows its private half.
    pub(super) fn from_jwk(jwk: &Map<String, Value>) -> Result<Option<Self>, &'static str> {
        // Whoever publishes a private key has no secret any more, whatever the key is for.
        if ["d", "p", "q", "k"]
            .iter()
            .any(|name| jwk.contains_key(*name))
        {
            return Err("a key shows its secret half");
        }
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let key = match (text("kty"), text("crv")) {
            (Some("OKP"), Some("Ed25519")) => Self::Ed25519(coordinate(text("x"))?),
            (Some("EC"), Some("P-256")) => {
                let (x, y) = (coordinate(text("x"))?, coordinate(text("y"))?);
                let mut point = [4; 65];
                point[1..33].copy_from_slice(&x);
                point[33..].copy_from_slice(&y);
                Self::P256(point)
            }
            (Some("RSA"), None) => rsa(text("n"), text("e"))?,
            _ => return Ok(None),
        };
        let is = |name: &str, fits: &dyn Fn(&Value) -> bool| jwk.get(name).is_none_or(fits);
        let named = key.algorithm().as_str();
        let ours = is("use", &|what| what == "sig")
            && is("key_ops", &|what| {
                what.as_array()
                    .is_some_and(|all| all.iter().any(|one| one == "verify"))
            })
            // RFC 9864 gives EdDSA on this curve a name of its own.
            && is("alg", &|what| {
                what == named || (named == "EdDSA" && what == "Ed25519")
            });
        Ok(ours.then_some(key))
    }

    /// The key's thumbprint (RFC 7638): base64url of the SHA-256 over its required members.
    pub(super) fn thumbprint(&self) -> String {
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let canonical = match self {
            Self::Ed25519(x) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, part(x)),
            Self::P256(point) => format!(
                r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
                part(&point[1..33]),
                part(&point[33..])
            ),
            Self::Rsa { n, e } => {
                format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, part(e), part(n))
            }
        };
        part(Digest::of(canonical.as_bytes()).as_bytes())
    }
}

impl From<&PublicKey> for VerifyingKey {
    fn from(key: &PublicKey) -> Self {
        Self::Ed25519(*key.as_bytes())
    }
}

/// The 32 bytes of a coordinate, in base64url of exactly one spelling.
fn coordinate(text: Option<&str>) -> Result<[u8; 32], &'static str> {
    text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or("a coordinate of a key is not 32 bytes of base64url")
}

fn rsa(n: Option<&str>, e: Option<&str>) -> Result<VerifyingKey, &'static str> {
    let number = |text: Option<&str>| {
        text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
            .filter(|bytes| bytes.first().is_some_and(|first| *first != 0))
    };
    let (n, e) = number(n)
        .zip(number(e))
        .ok_or("modulus or exponent of a key is not a number in base64url")?;
    if !RSA_BYTES.contains(&n.len())
        || e.len() > 4
        || e == [1]
        || e.last().is_some_and(|b| b % 2 == 0)
    {
        return Err("an RSA key has less than 2048 or more than 4096 bits, or a poor exponent");
    }
    Ok(VerifyingKey::Rsa { n, e })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(jwk: &Value) -> Result<Option<VerifyingKey>, &'static str> {
        VerifyingKey::from_jwk(jwk.as_object().unwrap())
    }

    /// The keys and thumbprints of RFC 8037 appendix A.3 and RFC 7638 section 3.1.
    #[test]
    fn thumbprints_are_those_of_the_standards() {
        let key = read(
            &json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
        );
        assert_eq!(
            key.unwrap().unwrap().thumbprint(),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let key = read(&json!({"kty": "RSA", "n": n, "e": "AQAB", "kid": "2011-04-29"}));
        assert_eq!(
            key.unwrap().unwrap().thumbprint(),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
    }

    #[test]
    fn keys_for_others_are_left_out_and_bad_ones_refused() {
        let x = URL_SAFE_NO_PAD.encode([7; 32]);
        let okp = |name: &str, value: Value| {
            let mut jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": x});
            jwk[name] = value;
            read(&jwk)
        };
        assert!(okp("use", json!("sig")).unwrap().is_some());
        assert!(okp("alg", json!("Ed25519")).unwrap().is_some());
        for (name, value) in [
            ("use", json!("enc")),
            ("alg", json!("ES256")),
            ("alg", json!("none")),
            ("key_ops", json!(["sign"])),
            ("crv", json!("X25519")),
            ("kty", json!("oct")),
        ] {
            assert_eq!(okp(name, value.clone()), Ok(None), "{name} {value}");
        }
        for (name, value) in [
            ("d", json!("AA")),
            ("k", json!("AA")),
            ("x", json!("AA")),
            ("x", json!(format!("{x}="))),
            ("x", json!(null)),
        ] {
            assert!(okp(name, value.clone()).is_err(), "{name} {value}");
        }
        let short = URL_SAFE_NO_PAD.encode([0xff; 128]);
        assert!(read(&json!({"kty": "RSA", "n": short, "e": "AQAB"})).is_err());
        let long = URL_SAFE_NO_PAD.encode([0xff; 256]);
        assert!(read(&json!({"kty": "RSA", "n": long, "e": "AQ"})).is_err());
        assert!(
            read(&json!({"kty": "RSA", "n": long, "e": "AQAB"}))
                .unwrap()
                .is_some()
        );
    }
}
