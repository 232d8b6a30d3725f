//! Public keys that statements are signed with.

use serde::{Deserialize, Serialize};

/// The keys of an installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Keys {
    /// Current and former ones.
    pub keys: Vec<PublicKey>,
}

/// One public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PublicKey {
    /// What signatures name it by.
    pub key_id: String,
    /// `ed25519`.
    pub algorithm: String,
    /// `SubjectPublicKeyInfo`, PEM.
    pub pem: String,
}
