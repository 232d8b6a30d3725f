use reqwest::Method;

use crate::client::Client;
use crate::error::Error;
use crate::wire::page::{Page, PageQuery};
use crate::wire::worker_session::WorkerSession;

/// Workers.
impl Client {
    /// Lists workers.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn workers(&self, page: &PageQuery) -> Result<Page<WorkerSession>, Error> {
        self.orchestrator(Method::GET, &["workers"])
            .page(page)
            .send()
            .await
    }
}
