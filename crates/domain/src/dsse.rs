//! DSSE envelopes: signed bytes that say what type they are (secure-systems-lab/dsse, v1.0.2).

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// An envelope as it is stored and sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope {
    /// What the payload is.
    pub payload_type: String,
    /// The payload, in standard base64.
    pub payload: String,
    /// At least one signature over type and payload.
    pub signatures: Vec<Signature>,
}

/// One signature of an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Which key, as a hint; a verifier never trusts it.
    #[serde(default)]
    pub keyid: String,
    /// The signature, in standard base64.
    pub sig: String,
}

/// Why an envelope is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DsseError {
    /// Not an envelope at all.
    #[error("not a DSSE envelope: {0}")]
    Malformed(String),
    /// It says to be something else than asked for.
    #[error("the envelope holds `{found}`, not `{expected}`")]
    WrongType {
        /// What it holds.
        found: String,
        /// What was asked for.
        expected: String,
    },
    /// No signature was made by a trusted key.
    #[error("no signature of the envelope was made by a trusted key")]
    NotSigned,
}

/// A key that signs. Ed25519: the same bytes give the same signature.
pub struct SigningKey {
    pair: Ed25519KeyPair,
}

/// A key that verifies: 32 bytes of Ed25519.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey([u8; 32]);

/// A seed that is not 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an Ed25519 key has 32 bytes")]
pub struct KeyError;

impl SigningKey {
    /// From the 32 secret bytes.
    ///
    /// # Errors
    /// [`KeyError`] on another length.
    pub fn from_seed(seed: &[u8]) -> Result<Self, KeyError> {
        Ed25519KeyPair::from_seed_unchecked(seed)
            .map(|pair| Self { pair })
            .map_err(|_| KeyError)
    }

    /// The other half.
    pub fn public(&self) -> PublicKey {
        let bytes = self.pair.public_key().as_ref();
        PublicKey(
            bytes
                .try_into()
                .expect("an Ed25519 public key has 32 bytes"),
        )
    }

    /// Signs a payload under its type.
    pub fn sign(&self, payload_type: &str, payload: &[u8]) -> Envelope {
        let signature = self.pair.sign(&pae(payload_type, payload));
        Envelope {
            payload_type: payload_type.to_owned(),
            payload: STANDARD.encode(payload),
            signatures: vec![Signature {
                keyid: self.public().key_id(),
                sig: STANDARD.encode(signature),
            }],
        }
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("public", &self.public().key_id())
            .finish_non_exhaustive()
    }
}

impl PublicKey {
    /// From the 32 public bytes.
    ///
    /// # Errors
    /// [`KeyError`] on another length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        bytes.try_into().map(Self).map_err(|_| KeyError)
    }

    /// The 32 public bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key's name: `SHA256:` and the hex digits of the digest of its bytes.
    pub fn key_id(&self) -> String {
        format!("SHA256:{}", Digest::of(&self.0).hex())
    }

    /// The key in the PEM form that OpenSSL and other DSSE tools read (RFC 8410 section 4).
    pub fn to_pem(&self) -> String {
        format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            STANDARD.encode([&SPKI, &self.0[..]].concat())
        )
    }

    /// Reads the PEM form.
    ///
    /// # Errors
    /// [`KeyError`] when it is not one Ed25519 public key in PEM.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let body = text
            .trim()
            .strip_prefix("-----BEGIN PUBLIC KEY-----")
            .and_then(|rest| rest.strip_suffix("-----END PUBLIC KEY-----"))
            .ok_or(KeyError)?;
        let body: String = body.split_whitespace().collect();
        let der = STANDARD.decode(body).map_err(|_| KeyError)?;
        Self::from_bytes(der.strip_prefix(&SPKI).ok_or(KeyError)?)
    }
}

/// The DER header of an Ed25519 `SubjectPublicKeyInfo` (RFC 8410 section 4).
const SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Checks an envelope and returns the signed bytes with the key that signed them. Use only what is
/// returned: the envelope itself stays untrusted.
///
/// # Errors
/// [`DsseError`] on a malformed envelope, another payload type, or no signature by a trusted key.
pub fn verify(
    envelope: &[u8],
    payload_type: &str,
    trusted: &[PublicKey],
) -> Result<(Vec<u8>, PublicKey), DsseError> {
    let envelope: Envelope = serde_json::from_slice(envelope)
        .map_err(|error| DsseError::Malformed(error.to_string()))?;
    if envelope.payload_type != payload_type {
        return Err(DsseError::WrongType {
            found: envelope.payload_type,
            expected: payload_type.to_owned(),
        });
    }
    let decode = |what, text: &str| {
        STANDARD
            .decode(text)
            .map_err(|error| DsseError::Malformed(format!("{what} is not base64: {error}")))
    };
    let payload = decode("the payload", &envelope.payload)?;
    let signed = pae(payload_type, &payload);
    for signature in &envelope.signatures {
        let signature = decode("a signature", &signature.sig)?;
        for key in trusted {
            if UnparsedPublicKey::new(&ED25519, key.as_bytes())
                .verify(&signed, &signature)
                .is_ok()
            {
                return Ok((payload, *key));
            }
        }
    }
    Err(DsseError::NotSigned)
}

/// The pre-authentication encoding: what is really signed.
fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    )
    .into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "http://example.com/HelloWorld";

    fn sealed() -> (SigningKey, Envelope) {
        let key = SigningKey::from_seed(&[7; 32]).unwrap();
        let envelope = key.sign(TYPE, b"hello world");
        (key, envelope)
    }

    fn check(envelope: &Envelope, trusted: PublicKey, expected: Result<&[u8], DsseError>) {
        let bytes = serde_json::to_vec(envelope).unwrap();
        assert_eq!(
            verify(&bytes, TYPE, &[trusted]).map(|(payload, _)| payload),
            expected.map(<[u8]>::to_vec)
        );
    }

    #[test]
    fn pae_matches_the_protocol_s_vector() {
        assert_eq!(
            pae(TYPE, b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn only_what_a_trusted_key_signed_is_believed() {
        let (key, envelope) = sealed();
        check(&envelope, key.public(), Ok(b"hello world"));
        let stranger = SigningKey::from_seed(&[8; 32]).unwrap();
        check(&envelope, stranger.public(), Err(DsseError::NotSigned));
        let edited = Envelope {
            payload: STANDARD.encode("hello World"),
            ..envelope.clone()
        };
        check(&edited, key.public(), Err(DsseError::NotSigned));
        let retyped = Envelope {
            payload_type: "text/plain".into(),
            ..envelope.clone()
        };
        let refusal = DsseError::WrongType {
            found: "text/plain".into(),
            expected: TYPE.into(),
        };
        check(&retyped, key.public(), Err(refusal));
        check(
            &Envelope {
                signatures: vec![],
                ..envelope
            },
            key.public(),
            Err(DsseError::NotSigned),
        );
    }

    #[test]
    fn signing_is_deterministic_and_keys_survive_pem() {
        let (key, envelope) = sealed();
        assert_eq!(sealed().1, envelope);
        assert_eq!(
            PublicKey::from_pem(&key.public().to_pem()),
            Ok(key.public())
        );
        assert_eq!(
            PublicKey::from_pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"),
            Err(KeyError)
        );
    }
}
