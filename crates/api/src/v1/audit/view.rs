//! Audit rows and checkpoints as the wire shows them.

use jobengine_domain::dsse::Envelope;
use jobengine_store::{AuditRecord, CheckpointRecord};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A change that was made
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditRow)]
pub(super) struct AuditView {
    /// Its id.
    audit_id: Uuid,
    /// When it was made.
    #[schema(format = DateTime)]
    occurred_at: String,
    /// The principal.
    #[schema(example = "olga@example.org")]
    subject: String,
    /// Which of its credentials it used: a token's fingerprint, or the id of a key.
    #[schema(example = "jwt:0a1b2c3d")]
    credential: String,
    /// The operation, as this contract names it.
    #[schema(example = "job_cancel")]
    operation: String,
    /// The scope that allowed it.
    #[schema(example = "orch:operate")]
    scope: String,
    /// What kind of thing was changed.
    #[schema(example = "job")]
    object_kind: String,
    /// Which one.
    object_id: String,
    /// SHA-256 of the thing as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    before_digest: Option<String>,
    /// SHA-256 of what was answered, or of the thing as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    after_digest: Option<String>,
    /// Why, in the caller's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Where that is written down.
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<String>,
    /// The request.
    request_id: String,
    /// What the caller called the whole undertaking.
    correlation_id: String,
    /// The address that the request came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// Its number in the tenant's chain; absent until it is sealed, at most two seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
    /// The chain's hash at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
}

impl From<AuditRecord> for AuditView {
    fn from(AuditRecord { row, seal }: AuditRecord) -> Self {
        Self {
            audit_id: row.audit_id.0,
            occurred_at: row.occurred_at.to_string(),
            subject: row.subject,
            credential: row.credential,
            operation: row.operation,
            scope: row.scope,
            object_kind: row.object_kind,
            object_id: row.object_id,
            before_digest: row.before_digest.map(|digest| digest.to_string()),
            after_digest: row.after_digest.map(|digest| digest.to_string()),
            reason: row.reason,
            ticket: row.ticket,
            request_id: row.request_id,
            correlation_id: row.correlation_id,
            source: row.source,
            sequence: seal.map(|seal| seal.sequence),
            hash: seal.map(|seal| seal.hash.to_string()),
        }
    }
}

/// The signed end of a batch
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditCheckpoint)]
pub(super) struct CheckpointView {
    /// The number of the batch's first row.
    first: u64,
    /// The number of its last row: how many rows were sealed.
    size: u64,
    /// The epoch of the sealer that led.
    epoch: u64,
    /// The chain's hash at `size`.
    head: String,
    /// When it was sealed.
    #[schema(format = DateTime)]
    sealed_at: String,
    /// What counts: the same, signed. Keep it outside, and hold later exports against it.
    envelope: EnvelopeView,
}

impl From<CheckpointRecord> for CheckpointView {
    fn from(record: CheckpointRecord) -> Self {
        Self {
            first: record.first,
            size: record.size,
            epoch: record.epoch,
            head: record.head.to_string(),
            sealed_at: record.sealed_at.to_string(),
            envelope: EnvelopeView::from(record.envelope),
        }
    }
}

/// A DSSE envelope
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditEnvelope)]
pub(super) struct EnvelopeView {
    /// `application/vnd.jobengine.audit-checkpoint.v1+json`.
    payload_type: String,
    /// The checkpoint as canonical JSON, in Base64.
    payload: String,
    /// Signatures over payload type and payload.
    signatures: Vec<SignatureView>,
}

/// One signature of an envelope
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditSignature)]
struct SignatureView {
    /// Which key; `/api/v1/scheduler/keys` has it.
    keyid: String,
    /// Ed25519, in Base64.
    sig: String,
}

impl From<Envelope> for EnvelopeView {
    fn from(envelope: Envelope) -> Self {
        Self {
            payload_type: envelope.payload_type,
            payload: envelope.payload,
            signatures: envelope
                .signatures
                .into_iter()
                .map(|signature| SignatureView {
                    keyid: signature.keyid,
                    sig: signature.sig,
                })
                .collect(),
        }
    }
}
