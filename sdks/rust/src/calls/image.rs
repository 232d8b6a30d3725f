use reqwest::Method;

use crate::client::Client;
use crate::error::Error;
use crate::wire::image::Image;
use crate::wire::page::{Page, PageQuery};

/// Images.
impl Client {
    /// Lists images.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn images(&self, page: &PageQuery) -> Result<Page<Image>, Error> {
        self.scheduler(Method::GET, &["images"])
            .page(page)
            .send()
            .await
    }

    /// One image (`sha256:…`).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn image(&self, digest: &str) -> Result<Image, Error> {
        self.scheduler(Method::GET, &["images", digest])
            .send()
            .await
    }
}
