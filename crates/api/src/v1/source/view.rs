//! A source as it is shown, and what may be said of one.

use jobengine_domain::digest::Digest;
use jobengine_domain::time::Timestamp;
use jobengine_domain::upstream::UpstreamUrl;
use jobengine_store::SourceRecord;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::check::Checks;

/// Longest kind.
const KIND_MAX: usize = 50;
/// Longest description.
const DESCRIPTION_MAX: usize = 2_000;

/// An upstream
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_field_names,
    reason = "the names are those of the contract"
)]
pub(super) struct Source {
    /// Its id.
    source_id: Uuid,
    /// Its name: what documents and jobs refer to. It never changes.
    #[schema(example = "osv")]
    name: String,
    /// What it offers.
    #[schema(example = "osv")]
    kind: String,
    /// Where it is.
    #[schema(example = "https://feeds.example.org/osv")]
    url: Option<String>,
    /// The host of its address, by which limits are kept.
    #[schema(example = "feeds.example.org")]
    host: Option<String>,
    /// For people.
    description: String,
    /// Whether documents and jobs are taken for it.
    enabled: bool,
    /// Since when it is paused.
    #[schema(value_type = Option<String>, format = DateTime)]
    paused_at: Option<Timestamp>,
    /// Why it is paused.
    pause_reason: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Rises with every change; also its `ETag`.
    version: u64,
}

impl Source {
    pub(super) fn of(record: SourceRecord) -> Self {
        let (paused_at, pause_reason) = record.paused.unzip();
        Self {
            source_id: record.id.0,
            name: record.name,
            kind: record.facts.kind,
            host: record.facts.url.as_ref().map(|url| url.host().to_owned()),
            url: record.facts.url.map(|url| url.to_string()),
            description: record.facts.description,
            enabled: record.facts.enabled,
            paused_at,
            pause_reason,
            created_at: record.created_at,
            version: record.version,
        }
    }

    /// What an audit row names the source by.
    pub(super) fn digest(&self) -> Digest {
        Digest::of(&serde_json::to_vec(self).expect("a source is plain JSON"))
    }
}

/// Notes a kind that is none.
pub(super) fn check_kind(kind: &str, checks: &mut Checks) {
    let sound =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    let starts = kind.starts_with(|sign: char| sign.is_ascii_alphanumeric());
    checks.hold(
        starts && kind.len() <= KIND_MAX && kind.bytes().all(sound),
        || "kind".to_owned(),
        "VALUE",
        format!("1 to {KIND_MAX} lower-case letters, digits, `.` and `-` are taken"),
    );
}

/// Notes a description that is too long.
pub(super) fn check_description(description: &str, checks: &mut Checks) {
    checks.hold(
        description.chars().count() <= DESCRIPTION_MAX && !description.contains('\0'),
        || "description".to_owned(),
        "VALUE",
        format!("at most {DESCRIPTION_MAX} characters are taken"),
    );
}

/// Reads an address, and notes one that cannot be taken.
pub(super) fn read_url(url: Option<&str>, checks: &mut Checks) -> Option<UpstreamUrl> {
    match url?.parse() {
        Ok(url) => Some(url),
        Err(error) => {
            let error: jobengine_domain::upstream::UpstreamUrlError = error;
            checks.hold(false, || "url".to_owned(), "VALUE", error.to_string());
            None
        }
    }
}
