use reqwest::Method;

use super::intake::{INTAKE, JSON};
use crate::client::Client;
use crate::document::Document;
use crate::error::Error;
use crate::wire::preview::ImpactPreview;

/// Previews.
impl Client {
    /// Which images these changed advisories would hit; stores and plans nothing.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn impact_preview(
        &self,
        source: Option<&str>,
        document: Document,
    ) -> Result<ImpactPreview, Error> {
        self.scheduler(Method::POST, &["impact", "preview"])
            .query("source", source)
            .document(JSON, document)
            .harmless()
            .timeout(INTAKE)
            .send()
            .await
    }
}
