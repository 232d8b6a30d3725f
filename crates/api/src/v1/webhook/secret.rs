//! A secret in a request: read, and never printed.

use jobengine_domain::webhook::WebhookSecret;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A secret that the caller brings along: `whsec_` and 32 to 64 bytes in Base64.
#[derive(Debug)]
pub(super) struct GivenSecret(pub(super) WebhookSecret);

impl<'de> Deserialize<'de> for GivenSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        WebhookSecret::parse(&text)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}
