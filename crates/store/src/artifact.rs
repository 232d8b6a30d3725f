//! Artifacts: what attempts made. One counts once the attempt that made it was accepted.

use jobengine_domain::digest::Digest;
use jobengine_domain::id::{JobId, RunId};
use jobengine_domain::lease::Fence;

use crate::caller::Tx;
use crate::error::StoreError;
use crate::ts::Ts;

impl Tx {
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
