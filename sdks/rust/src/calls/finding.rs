use reqwest::Method;

use crate::client::Client;
use crate::error::Error;
use crate::wire::finding::{Finding, FindingFilter};
use crate::wire::page::{Page, PageQuery};

/// Findings.
impl Client {
    /// Lists the findings of an image or of a package.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn findings(
        &self,
        filter: &FindingFilter,
        page: &PageQuery,
    ) -> Result<Page<Finding>, Error> {
        let (name, value) = match filter {
            FindingFilter::Image(image) => ("image", image),
            FindingFilter::Package(package) => ("package", package),
        };
        self.scheduler(Method::GET, &["findings"])
            .query(name, Some(value))
            .page(page)
            .send()
            .await
    }
}
