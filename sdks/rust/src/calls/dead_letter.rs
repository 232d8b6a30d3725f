use reqwest::Method;

use crate::client::Client;
use crate::error::Error;
use crate::wire::dead_letter::DeadLetter;
use crate::wire::page::{Page, PageQuery};

/// Dead letters.
impl Client {
    /// Lists dead letters.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn dead_letters(&self, page: &PageQuery) -> Result<Page<DeadLetter>, Error> {
        self.orchestrator(Method::GET, &["dead-letters"])
            .page(page)
            .send()
            .await
    }
}
