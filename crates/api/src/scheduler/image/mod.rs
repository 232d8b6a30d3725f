//! Images of the fleet.

mod get;
mod list;
mod remove;

use jobengine_domain::digest::Digest;
use jobengine_domain::time::Timestamp;
use jobengine_store::ImageRecord;
use serde::Serialize;
use utoipa::ToSchema;

use crate::route::Routes;

pub(super) fn routes() -> Routes {
    Routes::new()
        .merge(list::routes())
        .merge(get::routes())
        .merge(remove::routes())
}

/// An image of the fleet.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Image {
    /// Digest of its manifest.
    #[schema(value_type = String, example = "sha256:2222222222222222222222222222222222222222222222222222222222222222")]
    digest: Digest,
    /// Where it is pushed to, when somebody said.
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<String>,
    /// Its tags there, sorted.
    tags: Vec<String>,
    /// The namespace it runs in, when somebody said.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    /// The SBOM it consists of.
    #[schema(value_type = String)]
    sbom_digest: Digest,
    /// Format and version of the SBOM.
    #[schema(example = "CycloneDX-1.5")]
    format: String,
    /// Distinct components with a purl.
    components: u32,
    /// How many findings it has; in the answer about one image, once it was evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<u64>,
    /// When its SBOM or what is said of it last changed.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
}

impl Image {
    fn of(record: ImageRecord) -> Self {
        let said = |text: String| Some(text).filter(|text| !text.is_empty());
        Self {
            digest: record.digest,
            repository: said(record.repository),
            tags: record.tags,
            namespace: said(record.namespace),
            sbom_digest: record.sbom,
            format: record.format,
            components: record.components,
            findings: None,
            changed_at: record.changed_at,
        }
    }
}
