//! Artifacts: what attempts made. One counts once the attempt that made it was accepted.

use jobengine_domain::digest::Digest;
use jobengine_domain::id::{JobId, RunId};
use jobengine_domain::lease::Fence;
use jobengine_domain::time::Timestamp;

use crate::caller::Tx;
use crate::error::StoreError;
use crate::job::digest;
use crate::ts::Ts;

/// Artifacts of a job that are listed.
const ARTIFACTS_MAX: u32 = 1_000;

/// An artifact without its bytes.
#[derive(Debug, Clone)]
pub struct ArtifactRecord {
    /// Its name within the attempt.
    pub name: String,
    /// The attempt's fence.
    pub fence: Fence,
    /// What it is.
    pub media_type: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// How many.
    pub bytes: u64,
    /// When it was stored.
    pub created_at: Timestamp,
    /// Whether the attempt was accepted as successful: only then it counts.
    pub accepted: bool,
}

/// An artifact with its bytes.
#[derive(Debug, Clone)]
pub struct ArtifactBody {
    /// What it is.
    pub media_type: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// The bytes.
    pub body: Vec<u8>,
}

impl Tx {
    /// The artifacts of a job, by attempt and name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn artifact_list(&self, job: JobId) -> Result<Vec<ArtifactRecord>, StoreError> {
        let rows = self
            .query(
                include_str!("artifact/list.sql"),
                &[&job.0, &i64::from(ARTIFACTS_MAX)],
            )
            .await?;
        rows.iter()
            .map(|row| {
                Ok(ArtifactRecord {
                    name: row.get("name"),
                    fence: Fence(row.get("fence")),
                    media_type: row.get("media_type"),
                    digest: digest(row.get("digest"), "artifact.digest")?,
                    bytes: u64::from(row.get::<_, i32>("bytes").unsigned_abs()),
                    created_at: row.get::<_, Ts>("created_at").0,
                    accepted: row.get("accepted"),
                })
            })
            .collect()
    }

    /// The artifact of a name: that of the attempt that was accepted, or else of the last one that
    /// stored any.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn artifact_get(
        &self,
        job: JobId,
        name: &str,
    ) -> Result<Option<ArtifactBody>, StoreError> {
        let row = self
            .query_opt(include_str!("artifact/get.sql"), &[&job.0, &name])
            .await?;
        row.map(|row| {
            Ok(ArtifactBody {
                media_type: row.get("media_type"),
                digest: digest(row.get("digest"), "artifact.digest")?,
                body: row.get("body"),
            })
        })
        .transpose()
    }

    /// Stores what the attempt under `fence` made, and returns its digest. The lease was checked in
    /// this transaction.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn artifact_put(
        &self,
        job: JobId,
        fence: Fence,
        name: &str,
        media_type: &str,
        body: &[u8],
    ) -> Result<Digest, StoreError> {
        let digest = Digest::of(body);
        let content = digest.as_bytes().as_slice();
        self.execute(
            include_str!("artifact/put.sql"),
            &[
                &self.tenant().0,
                &job.0,
                &fence.0,
                &name,
                &media_type,
                &content,
                &body,
                &Ts(self.now()),
            ],
        )
        .await?;
        Ok(digest)
    }

    /// The artifacts of one name that count in a run, each with the name of its job, sorted by it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn run_artifacts(
        &self,
        run: RunId,
        name: &str,
    ) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let rows = self
            .query(include_str!("artifact/of_run.sql"), &[&run.0, &name])
            .await?;
        Ok(rows
            .iter()
            .map(|row| (row.get("job_key"), row.get("body")))
            .collect())
    }
}
