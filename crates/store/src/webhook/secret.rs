//! The secrets of webhooks, sealed each for its own row.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use jobengine_domain::id::{TenantId, WebhookId};
use jobengine_domain::time::Timestamp;
use jobengine_domain::webhook::{SECRET_MIN_BYTES, WebhookSecret};
use zeroize::Zeroizing;

use crate::caller::Tx;
use crate::error::{StoreError, expect_one};
use crate::secret::{InstallationSecret, Purpose};
use crate::ts::{Ts, ts};

impl Tx {
    /// Gives a webhook a new secret; the one before signs beside it until `until`, or not at all.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when there is no such webhook.
    pub async fn webhook_rotate(
        &self,
        installation: &InstallationSecret,
        id: WebhookId,
        secret: &WebhookSecret,
        until: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let rotated = self
            .execute(
                include_str!("rotate.sql"),
                &[
                    &id.0,
                    &key_id(installation),
                    &seal(installation, self.tenant(), id, secret),
                    &ts(until),
                    &Ts(self.now()),
                ],
            )
            .await?;
        expect_one(rotated, "the webhook")
    }

    /// The secrets that sign now, the newest first; `None` when they were sealed under another
    /// installation's secret.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such webhook.
    pub async fn webhook_secrets(
        &self,
        installation: &InstallationSecret,
        id: WebhookId,
    ) -> Result<Option<Vec<WebhookSecret>>, StoreError> {
        let row = self
            .query_opt(include_str!("secret.sql"), &[&id.0, &Ts(self.now())])
            .await?
            .ok_or(StoreError::Missing("the webhook"))?;
        if row.get::<_, &str>("key_id") != key_id(installation) {
            return Ok(None);
        }
        let open = |sealed: &[u8]| unseal(installation, self.tenant(), id, sealed);
        let newest = open(row.get("secret"));
        // An old one that was sealed before the installation's secret changed signs no more.
        let old = row.get::<_, Option<&[u8]>>("old_secret").and_then(open);
        Ok(newest.map(|newest| std::iter::once(newest).chain(old).collect()))
    }
}

/// Draws a secret that nobody has seen.
pub fn draw_webhook_secret() -> WebhookSecret {
    let mut bytes = Zeroizing::new([0; SECRET_MIN_BYTES]);
    SystemRandom::new()
        .fill(&mut *bytes)
        .expect("the system's random source works");
    WebhookSecret::from_bytes(&*bytes).expect("it has its length")
}

/// Which installation secret sealed a row: a name that tells nothing of it.
pub(super) fn key_id(installation: &InstallationSecret) -> String {
    let mark = installation.mac(Purpose::Webhook, &[b"key id"]);
    format!(
        "{:016x}",
        u64::from_be_bytes(*mark.first_chunk().expect("a mark has 32 bytes"))
    )
}

pub(super) fn seal(
    installation: &InstallationSecret,
    tenant: TenantId,
    id: WebhookId,
    secret: &WebhookSecret,
) -> Vec<u8> {
    let context: [&[u8]; 2] = [tenant.0.as_bytes(), id.0.as_bytes()];
    installation.seal(Purpose::Webhook, &context, secret.bytes())
}

fn unseal(
    installation: &InstallationSecret,
    tenant: TenantId,
    id: WebhookId,
    sealed: &[u8],
) -> Option<WebhookSecret> {
    let context: [&[u8]; 2] = [tenant.0.as_bytes(), id.0.as_bytes()];
    let bytes = installation.open(Purpose::Webhook, &context, sealed)?;
    WebhookSecret::from_bytes(&bytes).ok()
}
