use reqwest::Method;

use crate::client::Client;
use crate::error::Error;
use crate::wire::report::{Complete, Completed};

/// Reports.
impl Client {
    /// Reports attempts. A report that was accepted before gets its first answer again.
    ///
    /// # Errors
    /// [`Error`]; `LEASE_LOST` when there is one report and it came too late.
    pub async fn complete(&self, complete: &Complete) -> Result<Completed, Error> {
        self.orchestrator(Method::POST, &["worker", "complete"])
            .json(complete)
            .harmless()
            .send()
            .await
    }
}
