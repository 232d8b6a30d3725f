use reqwest::Method;
use tokio::io::AsyncWrite;

use super::request::write_out;
use crate::client::Client;
use crate::error::Error;

/// The audit trail.
impl Client {
    /// Writes the sealed audit trail as JSON Lines as it comes, whatever its length: all of it, or from the checkpoint
    /// of size `after` until that of size `until`. Returns how many bytes it had. An export that breaks off ends without
    /// its last line, which a verifier sees.
    ///
    /// # Errors
    /// [`Error`]; [`Error::Write`] when the writer fails.
    pub async fn audit_export(
        &self,
        after: Option<u64>,
        until: Option<u64>,
        writer: &mut (impl AsyncWrite + Unpin + ?Sized),
    ) -> Result<u64, Error> {
        let response = self
            .orchestrator(Method::GET, &["audit", "export"])
            .query("after", after.map(|size| size.to_string()))
            .query("until", until.map(|size| size.to_string()))
            .open()
            .await?;
        write_out(response, writer).await
    }
}
