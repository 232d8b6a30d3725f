//! `GET /audit/{auditId}`

use axum::Json;
use axum::extract::State;
use jobengine_domain::audit::{chain, merkle};
use jobengine_domain::id::AuditId;
use jobengine_store::{StoreError, Tx};
use serde::Serialize;
use utoipa::ToSchema;

use super::view::{AuditView, EnvelopeView};
use crate::identity::Caller;
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// A change with its proof
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProvenAuditRow {
    #[serde(flatten)]
    row: AuditView,
    /// That it is in a signed batch; absent until it is sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<InclusionProof>,
}

/// A path from the row to the signed root of its batch (RFC 6962)
#[derive(Debug, Serialize, ToSchema)]
struct InclusionProof {
    /// The hash of the row's canonical form.
    leaf: String,
    /// Its place in the batch, from 0.
    index: u64,
    /// How many rows the batch has.
    size: u64,
    /// The hashes on the way, from the leaf upwards.
    path: Vec<String>,
    /// The checkpoint that holds the root.
    checkpoint: EnvelopeView,
}

/// Read a change
///
/// With the path that leads from it to the signed root of its batch: whoever has the public key can check that
/// this row was sealed, without the others.
#[utoipa::path(
    get, path = "/audit/{auditId}", operation_id = "audit_get", tag = "audit",
    extensions(("x-scope" = json!("orch:audit"))),
    params(("auditId" = uuid::Uuid, Path, description = "The row's id")),
    responses(
        (status = 200, description = "The change", body = ProvenAuditRow),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No such change of this tenant (NOT_FOUND)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    PathParams(id): PathParams<AuditId>,
) -> Result<Json<ProvenAuditRow>, Problem> {
    caller.require_whole_tenant()?;
    let tx = state.store().read(&caller).await?;
    let record = tx.audit_find(id).await?;
    let record = record.ok_or_else(|| Problem::not_found("change"))?;
    let proof = match record.seal {
        Some(seal) => prove(&tx, seal.sequence).await?,
        None => None,
    };
    tx.commit().await?;
    Ok(Json(ProvenAuditRow {
        row: AuditView::from(record),
        proof,
    }))
}

async fn prove(tx: &Tx, sequence: u64) -> Result<Option<InclusionProof>, StoreError> {
    let Some(batch) = tx.audit_checkpoint_at(sequence).await? else {
        return Ok(None);
    };
    let rows = tx.audit_sealed(batch.first, batch.size).await?;
    let leaves: Vec<_> = rows
        .iter()
        .map(|(row, _)| chain::leaf(&row.canonical()))
        .collect();
    let place = rows.iter().position(|(_, seal)| seal.sequence == sequence);
    let path = place.and_then(|place| merkle::path(&leaves, place).map(|path| (place, path)));
    Ok(path.map(|(place, path)| InclusionProof {
        leaf: leaves[place].to_string(),
        index: sequence - batch.first,
        size: batch.size - batch.first + 1,
        path: path.iter().map(ToString::to_string).collect(),
        checkpoint: EnvelopeView::from(batch.envelope),
    }))
}
