//! What a node signs and seals with, and what tells it from others.

use std::path::Path;

use anyhow::Context as _;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use jobengine_domain::dsse::SigningKey;
use jobengine_store::secret::InstallationSecret;
use uuid::Uuid;

use crate::data_dir::DataDir;
use crate::key_file;

/// The keys of a node.
pub(crate) struct NodeKeys {
    /// Signs completion events.
    pub(crate) completion: SigningKey,
    /// Signs checkpoints of the audit trail.
    pub(crate) audit: SigningKey,
    /// Tells this process from other replicas; drawn at each start.
    pub(crate) replica: Uuid,
    /// Makes page tokens, seals what is stored: one for all replicas.
    pub(crate) secret: InstallationSecret,
}

impl NodeKeys {
    /// Reads the keys of a data directory, or makes them. `secret` names the installation's secret where
    /// several replicas share one; it must be there.
    pub(crate) fn open(data: &DataDir, secret: Option<&Path>) -> anyhow::Result<Self> {
        let dir = data.keys()?;
        let own = dir.join("installation.secret");
        let mut replica = [0; 16];
        SystemRandom::new()
            .fill(&mut replica)
            .ok()
            .context("the system gives no random bytes")?;
        Ok(Self {
            replica: Uuid::from_bytes(replica),
            completion: key_file::open_or_create(&dir, key_file::COMPLETION)?.signing_key(),
            audit: key_file::open_or_create(&dir, key_file::AUDIT)?.signing_key(),
            secret: key_file::secret(secret.unwrap_or(&own), secret.is_none())?,
        })
    }
}
