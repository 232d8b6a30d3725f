use std::time::Duration;

use reqwest::Method;

use crate::client::Client;
use crate::document::Document;
use crate::error::Error;
use crate::wire::intake::{
    AdvisoriesStored, IntakeMode, KevStored, SbomStored, SbomSubject, VexStored,
};

/// Time for a document of the largest size.
pub(super) const INTAKE: Duration = Duration::from_mins(5);
pub(super) const JSON: &str = "application/json";

/// Documents. Sending one twice is harmless: the second time nothing has changed.
impl Client {
    /// Stores an SBOM, at most 32 MiB.
    ///
    /// # Errors
    /// [`Error`]; a bad document is refused with its code, the place stands in
    /// [`crate::Problem::errors`].
    pub async fn sbom_put(
        &self,
        subject: &SbomSubject,
        document: Document,
    ) -> Result<SbomStored, Error> {
        let used = subject.used_by_entrypoint.map(|used| used.to_string());
        self.scheduler(Method::POST, &["sboms"])
            .query("image", subject.image.as_deref())
            .query("repository", subject.repository.as_deref())
            .query("tag", subject.tag.as_deref())
            .query("namespace", subject.namespace.as_deref())
            .query("usedByEntrypoint", used)
            .document(JSON, document)
            .harmless()
            .timeout(INTAKE)
            .send()
            .await
    }

    /// Stores OSV advisories of a source: one record, an array, or JSON Lines, at most 64 MiB.
    ///
    /// # Errors
    /// [`Error`]. A bad record is no error: it stands among the answer's problems.
    pub async fn advisories_put(
        &self,
        source: &str,
        mode: IntakeMode,
        document: Document,
    ) -> Result<AdvisoriesStored, Error> {
        self.scheduler(Method::POST, &["advisories"])
            .query("source", Some(source))
            .query("mode", Some(mode.as_str()))
            .document(JSON, document)
            .harmless()
            .timeout(INTAKE)
            .send()
            .await
    }

    /// Stores the catalogue of known exploited vulnerabilities, as CISA publishes it.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn kev_put(&self, source: &str, document: Document) -> Result<KevStored, Error> {
        self.scheduler(Method::POST, &["kev"])
            .query("source", Some(source))
            .document(JSON, document)
            .harmless()
            .timeout(INTAKE)
            .send()
            .await
    }

    /// Stores an `OpenVEX` document, found by the source under this path or URL: what stood there no longer counts.
    /// Without one it is known by its `@id`.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn vex_put(
        &self,
        source: &str,
        location: Option<&str>,
        document: Document,
    ) -> Result<VexStored, Error> {
        self.scheduler(Method::POST, &["vex"])
            .query("source", Some(source))
            .query("location", location)
            .document(JSON, document)
            .harmless()
            .timeout(INTAKE)
            .send()
            .await
    }
}
