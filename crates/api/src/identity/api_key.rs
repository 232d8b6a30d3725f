//! Service API keys: `jek_<name>_<secret>`.
//!
//! The name is base64url of tenant, key id and a short MAC over both: it says whose key it is before
//! anything is looked up, and an invented one never reaches the ledger. The secret is 256 random
//! bits. The ledger keeps an HMAC of the whole under the installation's secret.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jobengine_domain::caller::Caller;
use jobengine_domain::digest::Digest;
use jobengine_domain::id::{ApiKeyId, TenantId};
use jobengine_store::secret::{InstallationSecret, Purpose};
use jobengine_store::{ApiKeyMac, ApiKeyRecord, Store, StoreError};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::caller::{Credential, CredentialKind, Who};
use super::claims::SERVICE;
use super::recent::Recent;
use crate::clock::Now;
use crate::problem::Problem;

/// How every key begins, for people and for scanners of leaked secrets.
const PREFIX: &str = "jek_";
/// Tenant, key id, and the MAC over both.
const NAME_BYTES: usize = 16 + 16 + TAG_BYTES;
const TAG_BYTES: usize = 8;
/// The name in base64url.
const NAME_CHARS: usize = 54;
/// A secret, in bytes and in base64url.
const SECRET_BYTES: usize = 32;
const SECRET_CHARS: usize = 43;
const HOUR_MS: u64 = 3_600_000;
/// What is marked: a name, or a whole key.
const NAME: &[u8] = b"name";
const KEY: &[u8] = b"key";
/// Keys that were found good and may pass where failures are being slowed.
const REMEMBERED_MAX: usize = 4_096;

/// Makes keys and says whether one belongs to this installation.
#[derive(Debug)]
pub(crate) struct ApiKeyMaker(InstallationSecret);

/// A key as it is known, and how it is checked; `None` when there is none of that id.
type Found = Option<Arc<(ApiKeyRecord, ApiKeyMac)>>;

/// The keys of services, as the ledger knew them a few seconds ago at most.
#[derive(Debug)]
pub(super) struct ApiKeys {
    store: Store,
    maker: ApiKeyMaker,
    recent: Recent<(TenantId, ApiKeyId), Found>,
    good: Mutex<HashSet<Digest>>,
}

impl ApiKeyMaker {
    /// Under the secret that every process of the installation shares.
    pub(super) const fn new(secret: InstallationSecret) -> Self {
        Self(secret)
    }

    /// Draws a key: its text, to be shown once, and what the ledger keeps.
    pub(crate) fn make(&self, tenant: TenantId, id: ApiKeyId) -> (String, ApiKeyMac) {
        let mut secret = [0; SECRET_BYTES];
        SystemRandom::new()
            .fill(&mut secret)
            .expect("the system gives random bytes");
        let name = self.name(tenant, id);
        let text = format!("{PREFIX}{name}_{}", URL_SAFE_NO_PAD.encode(secret));
        let mac = self.mac(KEY, text.as_bytes());
        (text, mac)
    }

    /// Whose key a text is, if it can be one of this installation.
    fn read(&self, text: &str) -> Option<(TenantId, ApiKeyId)> {
        let (name, secret) = text
            .strip_prefix(PREFIX)
            .filter(|rest| rest.is_ascii() && rest.len() == NAME_CHARS + 1 + SECRET_CHARS)?
            .split_at(NAME_CHARS);
        let secret = URL_SAFE_NO_PAD.decode(secret.strip_prefix('_')?).ok()?;
        let bytes = URL_SAFE_NO_PAD.decode(name).ok()?;
        if secret.len() != SECRET_BYTES || bytes.len() != NAME_BYTES {
            return None;
        }
        let id = |from: usize| Uuid::from_slice(&bytes[from..from + 16]).ok();
        let (tenant, id) = (TenantId(id(0)?), ApiKeyId(id(16)?));
        let (named, tag) = bytes.split_at(NAME_BYTES - TAG_BYTES);
        let ours = self.mac(NAME, named);
        bool::from(ours[..TAG_BYTES].ct_eq(tag)).then_some((tenant, id))
    }

    fn is(&self, text: &str, mac: &ApiKeyMac) -> bool {
        self.mac(KEY, text.as_bytes()).ct_eq(mac).into()
    }

    fn name(&self, tenant: TenantId, id: ApiKeyId) -> String {
        let mut bytes = [tenant.0.into_bytes(), id.0.into_bytes()].concat();
        let tag = self.mac(NAME, &bytes);
        bytes.extend_from_slice(&tag[..TAG_BYTES]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn mac(&self, what: &[u8], bytes: &[u8]) -> [u8; 32] {
        self.0.mac(Purpose::ApiKey, &[what, bytes])
    }
}

/// Whether a credential is meant to be a key; a token never begins so.
pub(super) fn is_api_key(credential: &str) -> bool {
    credential.starts_with(PREFIX)
}

impl ApiKeys {
    pub(super) fn new(store: Store, secret: InstallationSecret) -> Self {
        Self {
            store,
            maker: ApiKeyMaker::new(secret),
            recent: Recent::new(),
            good: Mutex::default(),
        }
    }

    pub(super) const fn maker(&self) -> &ApiKeyMaker {
        &self.maker
    }

    /// Whether this key was found good before: a look, without any cryptography.
    pub(super) fn remembers(&self, digest: &Digest) -> bool {
        self.good().contains(digest)
    }

    /// Whom a key makes the sender; the reason against it is for the log alone.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub(super) async fn verify(
        &self,
        text: &str,
        digest: Digest,
        now: Now,
    ) -> Result<Result<Arc<Who>, &'static str>, Problem> {
        let Some((tenant, id)) = self.maker.read(text) else {
            return Ok(Err("the key is not one of this installation"));
        };
        let found = self.find(tenant, id, now).await?;
        let Some((record, mac)) = found.as_deref() else {
            return Ok(Err("the key is unknown"));
        };
        if !self.maker.is(text, mac) {
            return Ok(Err("the key's secret is wrong"));
        }
        if !stands(record, now) {
            return Ok(Err("the key has ended"));
        }
        self.remember(digest);
        if is_use_due(record, now) {
            self.note_use(tenant, id).await;
        }
        Ok(Ok(Arc::new(who(tenant, record))))
    }

    /// Whether a key still stands.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub(super) async fn stands(
        &self,
        tenant: TenantId,
        id: ApiKeyId,
        now: Now,
    ) -> Result<bool, Problem> {
        let found = self.find(tenant, id, now).await?;
        Ok(found.is_some_and(|found| stands(&found.0, now)))
    }

    /// Forgets what is known of a key, after a change by this process.
    pub(super) fn forget(&self, tenant: TenantId, id: ApiKeyId) {
        self.recent.forget(&(tenant, id));
    }

    fn remember(&self, digest: Digest) {
        let mut good = self.good();
        if good.len() >= REMEMBERED_MAX {
            good.clear();
        }
        good.insert(digest);
    }

    /// Notes that a key is in use. Failing at that keeps nobody out.
    async fn note_use(&self, tenant: TenantId, id: ApiKeyId) {
        let note = async {
            let tx = self.store.begin(&Caller::system(tenant)).await?;
            tx.api_key_touch(id).await?;
            tx.commit().await
        };
        match note.await {
            Ok(()) => self.forget(tenant, id),
            Err(error) => tracing::warn!(key.id = %id, %error, "the use of key {id} was not noted"),
        }
    }

    async fn find(&self, tenant: TenantId, id: ApiKeyId, now: Now) -> Result<Found, Problem> {
        let load = self.load(tenant, id);
        self.recent.get((tenant, id), now.monotonic, load).await
    }

    async fn load(&self, tenant: TenantId, id: ApiKeyId) -> Result<Found, StoreError> {
        let tx = self.store.read(&Caller::system(tenant)).await?;
        let found = tx.api_key_find(id).await?;
        tx.commit().await?;
        Ok(found.map(Arc::new))
    }

    fn good(&self) -> std::sync::MutexGuard<'_, HashSet<Digest>> {
        self.good.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stands(record: &ApiKeyRecord, now: Now) -> bool {
    record.revoked_at.is_none() && now.wall < record.expires_at
}

/// Uses are noted to the hour: one write, however busy the key.
fn is_use_due(record: &ApiKeyRecord, now: Now) -> bool {
    record
        .last_used_at
        .is_none_or(|last| now.wall.ms_since(last) > HOUR_MS)
}

fn who(tenant: TenantId, record: &ApiKeyRecord) -> Who {
    let principal = Caller {
        tenant,
        project: record.project,
        subject: format!("{SERVICE}{}", record.name),
        credential: format!("key:{}", record.id),
        scopes: record.scopes.clone(),
    };
    let shown = Credential {
        kind: CredentialKind::Key(record.id),
        issued_at: record.created_at,
        expires_at: record.expires_at,
    };
    Who { principal, shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_whose_it_is_and_cannot_be_invented() {
        let maker = ApiKeyMaker::new(InstallationSecret::from_bytes(&[7; 32]));
        let (tenant, id) = (TenantId(Uuid::from_u128(1)), ApiKeyId(Uuid::from_u128(2)));
        let (text, mac) = maker.make(tenant, id);
        assert_eq!(text.len(), PREFIX.len() + NAME_CHARS + 1 + SECRET_CHARS);
        assert_eq!(maker.read(&text), Some((tenant, id)));
        assert!(maker.is(&text, &mac));
        assert_ne!(maker.make(tenant, id).0, text);
        // Every single character counts: either the name is refused, or the secret is another one.
        for place in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[place] = if other[place] == b'A' { b'Q' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert!(
                maker.read(&other).is_none() || !maker.is(&other, &mac),
                "{place}"
            );
        }
        for bad in [
            "jek_",
            &text[..text.len() - 1],
            &format!("{text}A"),
            "jek_é",
            "",
        ] {
            assert_eq!(maker.read(bad), None, "{bad}");
        }
        assert_eq!(
            ApiKeyMaker::new(InstallationSecret::from_bytes(&[8; 32])).read(&text),
            None
        );
    }
}
