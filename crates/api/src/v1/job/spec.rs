//! A job as it is asked for: its bounds, and what stands for what was not said.

use jobengine_domain::dag::EdgePolicy;
use jobengine_domain::defaults::{
    ATTEMPTS, ATTEMPTS_MAX, CRASH_ATTEMPTS, PAYLOAD_MAX_BYTES, TAG_MAX, TAGS_MAX,
};
use jobengine_domain::id::ProjectId;
use jobengine_domain::priority::Priority;
use jobengine_domain::time::Timestamp;
use jobengine_store::NewJob;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Origin;
use crate::check::Checks;

/// Longest job type.
pub(crate) const TYPE_MAX: usize = 100;
/// Longest name of a source.
const SOURCE_MAX: usize = 200;
/// Longest correlation id.
pub(crate) const CORRELATION_MAX: usize = 128;

/// A job to be done
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct JobSpec {
    /// Which workers may claim it: letters, digits, `.`, `_`, `:`, `/` and `-`.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = "^[A-Za-z0-9._:/-]+$",
        example = "feed.fetch"
    )]
    pub r#type: String,
    /// Any JSON up to 128 KiB. The worker gets it byte for byte.
    #[schema(value_type = serde_json::Value)]
    pub payload: Box<RawValue>,
    /// Its band; `normal` unless said otherwise. Every band has a bounded head start: nothing starves.
    #[schema(value_type = Option<String>, pattern = "^(low|normal|high|emergency)$")]
    pub priority: Option<Priority>,
    /// Attempts in all; 5 unless said otherwise.
    #[schema(minimum = 1, maximum = 100)]
    pub max_attempts: Option<u32>,
    /// Attempts that may end with the worker's disappearance; 3 unless said otherwise.
    #[schema(minimum = 1, maximum = 100)]
    pub max_crash_attempts: Option<u32>,
    /// Not before this moment (RFC 3339).
    #[schema(value_type = Option<String>, format = DateTime)]
    pub not_before: Option<Timestamp>,
    /// Success after this moment does not count (RFC 3339).
    #[schema(value_type = Option<String>, format = DateTime)]
    pub deadline: Option<Timestamp>,
    /// Follows the job through logs and events; the request's own unless said otherwise.
    #[schema(min_length = 1, max_length = 128)]
    pub correlation_id: Option<String>,
    /// The project it belongs to; that of the token unless said otherwise. A token that is bound to a project
    /// can name no other.
    #[schema(value_type = Option<Uuid>)]
    pub project_id: Option<ProjectId>,
    /// The name of the upstream it works for.
    #[schema(min_length = 1, max_length = 200, example = "osv")]
    pub source: Option<String>,
    /// Words to find it by, each of 1 to 64 characters without commas.
    #[serde(default)]
    #[schema(max_items = 16)]
    pub tags: Vec<String>,
}

impl JobSpec {
    /// Notes every field out of bounds; `place` names the job in the request.
    pub(crate) fn check(&self, place: &str, checks: &mut Checks) {
        let field = |name: &str| format!("{place}.{name}");
        checks.hold(
            is_type(&self.r#type),
            || field("type"),
            "VALUE",
            format!("1 to {TYPE_MAX} letters, digits and `._:/-` are taken"),
        );
        let bytes = self.payload.get().len();
        checks.hold(
            bytes <= PAYLOAD_MAX_BYTES,
            || field("payload"),
            "TOO_LARGE",
            format!("{bytes} bytes; at most {PAYLOAD_MAX_BYTES} are taken"),
        );
        for (name, attempts) in [
            ("maxAttempts", self.max_attempts),
            ("maxCrashAttempts", self.max_crash_attempts),
        ] {
            checks.hold(
                attempts.is_none_or(|attempts| (1..=ATTEMPTS_MAX).contains(&attempts)),
                || field(name),
                "RANGE",
                format!("1 to {ATTEMPTS_MAX} are taken"),
            );
        }
        if let Some(correlation) = &self.correlation_id {
            checks.text(|| field("correlationId"), correlation, CORRELATION_MAX);
        }
        if let Some(source) = &self.source {
            checks.text(|| field("source"), source, SOURCE_MAX);
        }
        let found = self.tags.len();
        checks.hold(
            found <= TAGS_MAX,
            || field("tags"),
            "RANGE",
            format!("holds {found}; at most {TAGS_MAX} are taken"),
        );
        for (at, tag) in self.tags.iter().enumerate() {
            let place = || format!("{place}.tags[{at}]");
            checks.text(place, tag, TAG_MAX);
            checks.hold(!tag.contains(','), place, "VALUE", "a tag holds no comma");
        }
    }

    /// Notes a project that the caller may not name.
    pub(crate) fn check_project(&self, place: &str, own: Option<ProjectId>, checks: &mut Checks) {
        let named = self.project_id;
        checks.hold(
            own.is_none() || named.is_none() || named == own,
            || format!("{place}.projectId"),
            "VALUE",
            "the token is bound to another project",
        );
    }

    /// The job as the ledger takes it.
    pub(crate) fn into_job(
        self,
        key: String,
        parents: Vec<(usize, EdgePolicy)>,
        origin: &Origin,
    ) -> NewJob {
        NewJob {
            key,
            job_type: self.r#type,
            priority: self.priority.unwrap_or_default(),
            payload: Box::<str>::from(self.payload).into_string(),
            max_attempts: self.max_attempts.unwrap_or(ATTEMPTS),
            max_crashes: self.max_crash_attempts.unwrap_or(CRASH_ATTEMPTS),
            not_before: self.not_before,
            deadline: self.deadline,
            correlation_id: self
                .correlation_id
                .unwrap_or_else(|| origin.correlation_id.clone()),
            project: self.project_id.or(origin.project),
            source: self.source,
            tags: self.tags,
            traceparent: origin.traceparent.clone(),
            replay_of: None,
            parents,
        }
    }
}

/// Whether a text can be a job type.
pub(crate) fn is_type(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/-".contains(&byte);
    (1..=TYPE_MAX).contains(&text.len()) && text.bytes().all(plain)
}
