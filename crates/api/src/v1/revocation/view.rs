//! A revocation as it is shown.

use jobengine_domain::time::Timestamp;
use jobengine_store::{RevocationRecord, Revoked};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A revocation
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RevocationView {
    revocation_id: Uuid,
    /// The principal whose tokens are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// Its tokens issued up to this moment are refused (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    not_before: Option<Timestamp>,
    /// The `jti` of the one token that is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_id: Option<String>,
    /// Who asked for it.
    created_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Every token it is about has expired by then, and it is forgotten.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

impl From<RevocationRecord> for RevocationView {
    fn from(record: RevocationRecord) -> Self {
        let (subject, not_before, token_id) = match record.revoked {
            Revoked::Subject {
                subject,
                not_before,
            } => (Some(subject), Some(not_before), None),
            Revoked::Token { id } => (None, None, Some(id)),
        };
        Self {
            revocation_id: record.id.0,
            subject,
            not_before,
            token_id,
            created_by: record.created_by,
            created_at: record.created_at,
            expires_at: record.expires_at,
        }
    }
}
