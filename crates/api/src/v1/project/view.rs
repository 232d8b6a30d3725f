//! A project as it is shown, and what may be said of one.

use jobengine_domain::digest::Digest;
use jobengine_domain::time::Timestamp;
use jobengine_store::ProjectRecord;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::check::Checks;

/// Longest name.
const NAME_MAX: usize = 200;
/// Longest description.
const DESCRIPTION_MAX: usize = 2_000;

/// A division inside a tenant
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_field_names,
    reason = "the names are those of the contract"
)]
pub(super) struct Project {
    /// Its id.
    project_id: Uuid,
    /// What people call it; no two projects of a tenant share it, in whatever case of letters.
    #[schema(example = "payments")]
    name: String,
    /// For people.
    description: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Rises with every change; also its `ETag`.
    version: u64,
}

impl Project {
    pub(super) fn of(record: ProjectRecord) -> Self {
        Self {
            project_id: record.id.0,
            name: record.name,
            description: record.description,
            created_at: record.created_at,
            version: record.version,
        }
    }

    /// What an audit row names the project by.
    pub(super) fn digest(&self) -> Digest {
        Digest::of(&serde_json::to_vec(self).expect("a project is plain JSON"))
    }
}

/// Refuses a name or description out of bounds.
pub(super) fn check(
    name: Option<&str>,
    description: Option<&str>,
) -> Result<(), crate::problem::Problem> {
    let mut checks = Checks::default();
    if let Some(name) = name {
        checks.text(|| "name".to_owned(), name, NAME_MAX);
    }
    if let Some(description) = description {
        checks.hold(
            description.chars().count() <= DESCRIPTION_MAX && !description.contains('\0'),
            || "description".to_owned(),
            "VALUE",
            format!("at most {DESCRIPTION_MAX} characters are taken"),
        );
    }
    checks.end()
}
