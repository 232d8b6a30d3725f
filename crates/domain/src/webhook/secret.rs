//! The secret that a webhook shares with its receiver, and the signature made with it.

use std::fmt::Write as _;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::id::DeliveryId;

/// Fewest bytes of a secret.
pub const SECRET_MIN_BYTES: usize = 32;
/// Most bytes of a secret.
pub const SECRET_MAX_BYTES: usize = 64;
/// What the text of a secret starts with (Standard Webhooks, "Symmetric secrets").
const PREFIX: &str = "whsec_";

/// A secret. It prints nothing of itself, and its bytes are wiped when it goes.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

/// Why a text is not a secret. Never says what the text was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Not the prefix and Base64.
    #[error("a secret is `whsec_` and standard Base64")]
    Malformed,
    /// Too few or too many bytes.
    #[error("a secret has {SECRET_MIN_BYTES} to {SECRET_MAX_BYTES} bytes")]
    Length,
}

impl WebhookSecret {
    /// From its bytes.
    ///
    /// # Errors
    /// [`SecretError::Length`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SecretError> {
        if (SECRET_MIN_BYTES..=SECRET_MAX_BYTES).contains(&bytes.len()) {
            Ok(Self(Zeroizing::new(bytes.to_vec())))
        } else {
            Err(SecretError::Length)
        }
    }

    /// From its text: `whsec_` and Base64.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let encoded = text.strip_prefix(PREFIX).ok_or(SecretError::Malformed)?;
        let bytes = STANDARD
            .decode(encoded)
            .map_err(|_| SecretError::Malformed)?;
        Self::from_bytes(&Zeroizing::new(bytes))
    }

    /// Its bytes, to be sealed.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its text: shown once, to whoever made the webhook.
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{PREFIX}{}", STANDARD.encode(&*self.0)))
    }
}

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret")
    }
}

/// The value of the header `webhook-signature`: `v1,` and the Base64 of HMAC-SHA256 over
/// `id.timestamp.body`, once for each secret, separated by spaces.
pub fn signatures(
    secrets: &[WebhookSecret],
    delivery: DeliveryId,
    timestamp_s: i64,
    body: &[u8],
) -> String {
    let head = format!("{delivery}.{timestamp_s}.");
    secrets.iter().fold(String::new(), |mut header, secret| {
        if !header.is_empty() {
            header.push(' ');
        }
        let signature = signature(secret.bytes(), head.as_bytes(), body);
        write!(header, "v1,{signature}").expect("a String takes every text");
        header
    })
}

fn signature(secret: &[u8], head: &[u8], body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mut context = hmac::Context::with_key(&key);
    context.update(head);
    context.update(body);
    STANDARD.encode(context.sign())
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn the_signature_is_the_one_of_the_specification_s_example() {
        let secret = STANDARD.decode("plJ3nmyCDGBKInavdOK15jsl").unwrap();
        let head = b"msg_loFOjxBNrRLzqYUf.1731705121.";
        let body = br#"{"event_type":"ping","data":{"success":true}}"#;
        assert_eq!(
            signature(&secret, head, body),
            "rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="
        );
    }

    #[test]
    fn each_active_secret_signs() {
        let secret = |byte| WebhookSecret::from_bytes(&[byte; 32]).unwrap();
        let sign =
            |secrets: &[WebhookSecret]| signatures(secrets, DeliveryId(Uuid::nil()), 7, b"{}");
        let (new, old) = (sign(&[secret(1)]), sign(&[secret(2)]));
        assert_ne!(new, old);
        assert_eq!(sign(&[secret(1), secret(2)]), format!("{new} {old}"));
    }

    #[test]
    fn a_secret_is_long_enough_and_prints_nothing() {
        let secret = WebhookSecret::from_bytes(&[7; 32]).unwrap();
        assert_eq!(WebhookSecret::parse(&secret.reveal()).unwrap(), secret);
        assert_eq!(format!("{secret:?}"), "WebhookSecret");
        let parse = |text: &str| WebhookSecret::parse(text).unwrap_err();
        assert_eq!(parse("whsec_AAAA"), SecretError::Length);
        assert_eq!(parse("AAAA"), SecretError::Malformed);
        assert_eq!(parse("whsec_!"), SecretError::Malformed);
        assert!(WebhookSecret::from_bytes(&[7; 65]).is_err());
    }
}
