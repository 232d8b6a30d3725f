//! The secret of an installation: what only its own processes can make, check and read.
//!
//! All replicas share one secret. From it a key is derived for each purpose (HKDF-SHA-256, RFC 5869), so
//! that what was made for one purpose is worth nothing for another.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};

/// What a derived key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Continuation tokens and cursors.
    Page,
    /// Answers kept for repeated requests.
    Idempotency,
    /// What is stored of an API key.
    ApiKey,
    /// The secrets of webhooks, at rest.
    Webhook,
    /// Nonces for proofs of possession.
    DpopNonce,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Page => b"jobengine page v1",
            Self::Idempotency => b"jobengine idempotency v1",
            Self::ApiKey => b"jobengine api-key v1",
            Self::Webhook => b"jobengine webhook v1",
            Self::DpopNonce => b"jobengine dpop-nonce v1",
        }
    }
}

/// 32 secret bytes. Cheap to clone, never printed.
#[derive(Clone)]
pub struct InstallationSecret(Arc<Prk>);

/// Bytes of a derived key.
const KEY_BYTES: usize = 32;

struct KeyBytes;

impl KeyType for KeyBytes {
    fn len(&self) -> usize {
        KEY_BYTES
    }
}

impl InstallationSecret {
    /// From 32 random bytes.
    pub fn from_bytes(bytes: &[u8; KEY_BYTES]) -> Self {
        Self(Arc::new(Salt::new(HKDF_SHA256, b"").extract(bytes)))
    }

    /// A fresh one, for a process of its own.
    pub fn draw() -> Self {
        let mut bytes = [0; KEY_BYTES];
        SystemRandom::new()
            .fill(&mut bytes)
            .expect("the system's random source works");
        Self::from_bytes(&bytes)
    }

    /// Marks `parts` as made by this installation (HMAC-SHA-256). Parts are told apart by their lengths.
    pub fn mac(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.key(purpose));
        hmac::sign(&key, &joined(parts))
            .as_ref()
            .try_into()
            .expect("SHA-256 has 32 bytes")
    }

    /// Whether `mark` is the one of `parts`; takes the same time whatever differs.
    pub fn is_mac(&self, purpose: Purpose, parts: &[&[u8]], mark: &[u8]) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.key(purpose));
        hmac::verify(&key, &joined(parts), mark).is_ok()
    }

    /// Hides `plain` from whoever reads the database (AES-256-GCM). `context` says where it stands, so that
    /// it cannot be moved elsewhere.
    pub fn seal(&self, purpose: Purpose, context: &[&[u8]], plain: &[u8]) -> Vec<u8> {
        let mut sealed = plain.to_vec();
        let nonce = self
            .aead(purpose)
            .seal_in_place_append_tag(Aad::from(joined(context)), &mut sealed)
            .expect("far less than 64 GiB");
        let mut whole = nonce.as_ref().to_vec();
        whole.append(&mut sealed);
        whole
    }

    /// Reads what [`Self::seal`] made in the same context; `None` for anything else.
    pub fn open(&self, purpose: Purpose, context: &[&[u8]], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut body = body.to_vec();
        let plain = self
            .aead(purpose)
            .open_in_place(nonce, Aad::from(joined(context)), &mut body)
            .ok()?
            .len();
        body.truncate(plain);
        Some(body)
    }

    fn aead(&self, purpose: Purpose) -> RandomizedNonceKey {
        RandomizedNonceKey::new(&AES_256_GCM, &self.key(purpose)).expect("the key has its length")
    }

    fn key(&self, purpose: Purpose) -> [u8; KEY_BYTES] {
        let mut key = [0; KEY_BYTES];
        self.0
            .expand(&[purpose.label()], KeyBytes)
            .and_then(|derived| derived.fill(&mut key))
            .expect("one block is derived");
        key
    }
}

/// Parts behind their lengths: two lists never give the same bytes.
fn joined(parts: &[&[u8]]) -> Vec<u8> {
    let mut all = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        all.extend_from_slice(&(part.len() as u64).to_be_bytes());
        all.extend_from_slice(part);
    }
    all
}

impl fmt::Debug for InstallationSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InstallationSecret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_holds_for_its_parts_and_its_purpose_alone() {
        let secret = InstallationSecret::draw();
        let mark = secret.mac(Purpose::Page, &[b"a", b"bc"]);
        assert!(secret.is_mac(Purpose::Page, &[b"a", b"bc"], &mark));
        assert!(!secret.is_mac(Purpose::Page, &[b"ab", b"c"], &mark));
        assert!(!secret.is_mac(Purpose::ApiKey, &[b"a", b"bc"], &mark));
        assert!(!InstallationSecret::draw().is_mac(Purpose::Page, &[b"a", b"bc"], &mark));
    }

    #[test]
    fn what_is_sealed_is_read_only_where_it_was_put() {
        let secret = InstallationSecret::from_bytes(&[7; 32]);
        let sealed = secret.seal(Purpose::Idempotency, &[b"tenant", b"key"], b"answer");
        assert!(!sealed.windows(6).any(|part| part == b"answer"));
        let same = InstallationSecret::from_bytes(&[7; 32]);
        assert_eq!(
            same.open(Purpose::Idempotency, &[b"tenant", b"key"], &sealed)
                .as_deref(),
            Some(&b"answer"[..])
        );
        assert_eq!(same.open(Purpose::Idempotency, &[b"other"], &sealed), None);
        assert_eq!(
            same.open(Purpose::Webhook, &[b"tenant", b"key"], &sealed),
            None
        );
        for end in 0..sealed.len() {
            assert_eq!(
                same.open(Purpose::Idempotency, &[b"tenant", b"key"], &sealed[..end]),
                None
            );
        }
    }
}
