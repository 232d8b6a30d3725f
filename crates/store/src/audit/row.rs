//! What stands in rows of the trail and of its chain.

use jobengine_domain::audit::row::AuditRow;
use jobengine_domain::audit::seal::Seal;
use jobengine_domain::dsse::Envelope;
use jobengine_domain::id::{AuditId, TenantId};
use tokio_postgres::Row;

use super::AuditRecord;
use super::chain::CheckpointRecord;
use crate::error::StoreError;
use crate::job::digest;
use crate::ts::Ts;

pub(super) fn record(tenant: TenantId, row: &Row) -> Result<AuditRecord, StoreError> {
    Ok(AuditRecord {
        row: audit_row(tenant, row)?,
        seal: seal(row)?,
    })
}

pub(super) fn audit_row(tenant: TenantId, row: &Row) -> Result<AuditRow, StoreError> {
    let bytes = |column: &str, place| {
        row.get::<_, Option<&[u8]>>(column)
            .map(|bytes| digest(bytes, place))
            .transpose()
    };
    Ok(AuditRow {
        audit_id: AuditId(row.get("audit_id")),
        tenant_id: tenant,
        occurred_at: row.get::<_, Ts>("occurred_at").0,
        subject: row.get("subject"),
        credential: row.get("credential"),
        operation: row.get("operation"),
        scope: row.get("scope"),
        object_kind: row.get("object_kind"),
        object_id: row.get("object_id"),
        before_digest: bytes("before_digest", "audit.before_digest")?,
        after_digest: bytes("after_digest", "audit.after_digest")?,
        reason: row.get("reason"),
        ticket: row.get("ticket"),
        request_id: row.get("request_id"),
        correlation_id: row.get("correlation_id"),
        source: row.get("source"),
    })
}

pub(super) fn seal(row: &Row) -> Result<Option<Seal>, StoreError> {
    if row.get::<_, Option<i64>>("sequence").is_none() {
        return Ok(None);
    }
    Ok(Some(Seal {
        sequence: counted(row, "sequence")?,
        hash: digest(row.get("hash"), "audit_seal.hash")?,
    }))
}

pub(super) fn checkpoint(row: &Row) -> Result<CheckpointRecord, StoreError> {
    Ok(CheckpointRecord {
        first: counted(row, "first")?,
        size: counted(row, "size")?,
        epoch: counted(row, "epoch")?,
        head: digest(row.get("head"), "audit_checkpoint.head")?,
        digest: digest(row.get("digest"), "audit_checkpoint.digest")?,
        envelope: envelope(row)?,
        sealed_at: row.get::<_, Ts>("sealed_at").0,
    })
}

pub(super) fn envelope(row: &Row) -> Result<Envelope, StoreError> {
    serde_json::from_str(row.get("envelope")).map_err(|_| StoreError::Corrupt {
        place: "audit_checkpoint.envelope",
    })
}

pub(super) fn counted(row: &Row, column: &'static str) -> Result<u64, StoreError> {
    u64::try_from(row.get::<_, i64>(column)).map_err(|_| StoreError::Corrupt { place: column })
}
