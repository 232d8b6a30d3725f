//! An API key as it is shown: without its secret.

use jobengine_domain::time::Timestamp;
use jobengine_store::ApiKeyRecord;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// An API key
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiKeyView {
    key_id: Uuid,
    /// The service it is for; its principal is `service:<name>`.
    name: String,
    /// The project it is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<Uuid>,
    /// What it allows.
    scopes: Vec<&'static str>,
    /// Who made it.
    created_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// It is refused from then on.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// When it was last used, to the hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// When it was ended before its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
}

impl From<ApiKeyRecord> for ApiKeyView {
    fn from(record: ApiKeyRecord) -> Self {
        Self {
            key_id: record.id.0,
            name: record.name,
            project_id: record.project.map(|project| project.0),
            scopes: record.scopes.iter().map(|scope| scope.as_str()).collect(),
            created_by: record.created_by,
            created_at: record.created_at,
            expires_at: record.expires_at,
            last_used_at: record.last_used_at,
            revoked_at: record.revoked_at,
        }
    }
}
