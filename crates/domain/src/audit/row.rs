//! One row of the audit trail: who did what to which object, and why.

use serde::Serialize;

use super::parse::{Fields, ParseError};
use crate::canon::canonical;
use crate::digest::Digest;
use crate::id::{AuditId, TenantId};
use crate::time::Timestamp;

/// A mutation that was committed. What is absent is left out of the written form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditRow {
    /// Its id.
    pub audit_id: AuditId,
    /// Whose row it is.
    pub tenant_id: TenantId,
    /// The clock of the transaction that changed something.
    pub occurred_at: Timestamp,
    /// The principal.
    pub subject: String,
    /// Which of its credentials it used: a fingerprint or the id of a key, never a secret.
    pub credential: String,
    /// What was asked for, as the contract names the operation.
    pub operation: String,
    /// The scope that allowed it.
    pub scope: String,
    /// What kind of thing was changed.
    pub object_kind: String,
    /// Which one.
    pub object_id: String,
    /// What it was before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_digest: Option<Digest>,
    /// What it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_digest: Option<Digest>,
    /// Why, in the operator's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The ticket that asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// The request.
    pub request_id: String,
    /// What the caller called the whole undertaking.
    pub correlation_id: String,
    /// The address the request came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl AuditRow {
    /// The bytes that are hashed: canonical JSON (RFC 8785).
    pub fn canonical(&self) -> Vec<u8> {
        canonical(self).expect("a row holds texts only")
    }

    /// Reads what [`Self::canonical`] writes, and nothing else.
    pub(super) fn parse(text: &str) -> Result<Self, ParseError> {
        let mut fields = Fields::of(text)?;
        let row = Self {
            audit_id: fields.parsed("auditId")?,
            tenant_id: fields.parsed("tenantId")?,
            occurred_at: fields.parsed("occurredAt")?,
            subject: fields.text("subject")?,
            credential: fields.text("credential")?,
            operation: fields.text("operation")?,
            scope: fields.text("scope")?,
            object_kind: fields.text("objectKind")?,
            object_id: fields.text("objectId")?,
            before_digest: fields.parsed_if_any("beforeDigest")?,
            after_digest: fields.parsed_if_any("afterDigest")?,
            reason: fields.text_if_any("reason")?,
            ticket: fields.text_if_any("ticket")?,
            request_id: fields.text("requestId")?,
            correlation_id: fields.text("correlationId")?,
            source: fields.text_if_any("source")?,
        };
        fields.end()?;
        Ok(row)
    }
}
