use reqwest::Method;

use crate::client::Client;
use crate::error::Error;
use crate::wire::event::Event;
use crate::wire::page::{Page, PageQuery};

/// Events.
impl Client {
    /// Reads on in the events. The page always has a continuation token: where to read on later.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn events(&self, page: &PageQuery) -> Result<Page<Event>, Error> {
        self.orchestrator(Method::GET, &["events"])
            .page(page)
            .send()
            .await
    }
}
