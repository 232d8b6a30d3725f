//! A checkpoint: what the sealer signs about a batch, and with it about everything before.

use serde::Serialize;

use super::parse::{Fields, ParseError};
use crate::canon::canonical;
use crate::digest::Digest;
use crate::dsse::{self, DsseError, Envelope, PublicKey, SigningKey};
use crate::id::TenantId;
use crate::time::Timestamp;

/// The payload type of a checkpoint's DSSE envelope.
pub const CHECKPOINT_TYPE: &str = "application/vnd.jobengine.audit-checkpoint.v1+json";

/// The state of a tenant's chain after a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checkpoint {
    /// The installation, so that checkpoints of two of them are never taken for one another's.
    pub origin: String,
    /// Whose chain.
    pub tenant: TenantId,
    /// The sequence number of the batch's first row.
    pub first: u64,
    /// How many rows are sealed: the sequence number of the batch's last row.
    pub size: u64,
    /// The Merkle root over the rows of the batch.
    pub root: Digest,
    /// The chain's hash at `size`.
    pub head: Digest,
    /// The digest of the payload of the checkpoint before; the first has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<Digest>,
    /// The leader's epoch.
    pub epoch: u64,
    /// When it was sealed.
    pub time: Timestamp,
}

/// Why a checkpoint is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The envelope is none, is of another type, or was not signed by a trusted key.
    #[error(transparent)]
    Envelope(#[from] DsseError),
    /// What was signed is not a checkpoint.
    #[error("what was signed is not a checkpoint: {0}")]
    Payload(String),
}

impl From<ParseError> for CheckpointError {
    fn from(error: ParseError) -> Self {
        Self::Payload(error.to_string())
    }
}

impl Checkpoint {
    /// The bytes that are signed: canonical JSON.
    pub fn payload(&self) -> Vec<u8> {
        canonical(self).expect("sequence numbers and epochs stay below 2^53")
    }

    /// What the next checkpoint names as the one before.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.payload())
    }

    /// Signs it.
    pub fn sign(&self, key: &SigningKey) -> Envelope {
        key.sign(CHECKPOINT_TYPE, &self.payload())
    }

    /// Opens an envelope that one of the trusted keys signed.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn open(
        envelope: &[u8],
        trusted: &[PublicKey],
    ) -> Result<(Self, PublicKey), CheckpointError> {
        let (payload, key) = dsse::verify(envelope, CHECKPOINT_TYPE, trusted)?;
        Ok((Self::parse(&payload)?, key))
    }

    /// Reads a payload: canonical JSON with these fields and no others.
    pub(super) fn parse(payload: &[u8]) -> Result<Self, ParseError> {
        let mut fields = Fields::of_bytes(payload)?;
        let checkpoint = Self {
            origin: fields.text("origin")?,
            tenant: fields.parsed("tenant")?,
            first: fields.number("first")?,
            size: fields.number("size")?,
            root: fields.parsed("root")?,
            head: fields.parsed("head")?,
            prev: fields.parsed_if_any("prev")?,
            epoch: fields.number("epoch")?,
            time: fields.parsed("time")?,
        };
        fields.end()?;
        if checkpoint.first == 0 || checkpoint.size < checkpoint.first {
            return Err(ParseError::field("size"));
        }
        Ok(checkpoint)
    }
}
