//! What a node signs and seals with.

use std::path::Path;

use jobengine_domain::dsse::SigningKey;
use jobengine_store::secret::InstallationSecret;

use crate::data_dir::DataDir;
use crate::key_file;

/// The keys of a node.
pub(crate) struct NodeKeys {
    /// Signs completion events.
    pub(crate) completion: SigningKey,
    /// Makes page tokens, seals what is stored: one for all replicas.
    pub(crate) secret: InstallationSecret,
}

impl NodeKeys {
    /// Reads the keys of a data directory, or makes them. `secret` names the installation's secret where
    /// several replicas share one; it must be there.
    pub(crate) fn open(data: &DataDir, secret: Option<&Path>) -> anyhow::Result<Self> {
        let dir = data.keys()?;
        let own = dir.join("installation.secret");
        Ok(Self {
            completion: key_file::open_or_create(&dir, key_file::COMPLETION)?.signing_key(),
            secret: key_file::secret(secret.unwrap_or(&own), secret.is_none())?,
        })
    }
}
