//! The public keys of an installation, each for one purpose.

use jobengine_domain::dsse::PublicKey;

/// What a key signs, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyPurpose {
    /// Completion events.
    Completion,
    /// Checkpoints of the audit trail.
    Audit,
}

impl KeyPurpose {
    /// The wire spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completion => "completion",
            Self::Audit => "audit",
        }
    }
}

/// A public key of the installation.
#[derive(Debug, Clone, Copy)]
pub struct PublishedKey {
    /// What it signs.
    pub purpose: KeyPurpose,
    /// The key.
    pub key: PublicKey,
}

impl PublishedKey {
    /// A key for a purpose.
    pub const fn new(purpose: KeyPurpose, key: PublicKey) -> Self {
        Self { purpose, key }
    }
}
