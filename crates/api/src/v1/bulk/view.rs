//! A bulk action as it is shown.

use jobengine_domain::digest::Digest;
use jobengine_domain::priority::Priority;
use jobengine_domain::time::Timestamp;
use jobengine_store::BulkRecord;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// A bulk action and how far it has come
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_field_names,
    reason = "the names are those of the contract"
)]
pub(super) struct BulkAction {
    /// Its id.
    bulk_action_id: Uuid,
    /// What is done.
    #[schema(example = "cancel")]
    action: String,
    /// To what: `jobs` or `deadLetters`.
    #[schema(example = "jobs")]
    target: String,
    /// What was asked for.
    #[schema(value_type = Object)]
    request: Value,
    /// The new band, of `prioritize`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    priority: Option<Priority>,
    /// What was confirmed.
    #[schema(value_type = String)]
    plan_digest: Digest,
    /// `running`, `succeeded` (its end was reached, whatever `failed` says) or `canceled`.
    #[schema(example = "running")]
    state: String,
    /// Jobs or dead letters in all.
    total: u64,
    /// Those it was done to.
    done: u64,
    /// Those that were no longer as the action needs them when their turn came.
    failed: u64,
    /// Who asked for it.
    requested_by: String,
    /// Why.
    reason: Option<String>,
    /// Where that is written down.
    ticket: Option<String>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
}

impl BulkAction {
    pub(super) fn of(record: BulkRecord) -> Self {
        Self {
            bulk_action_id: record.id.0,
            action: record.action,
            target: record.target,
            request: serde_json::from_str(&record.filter).unwrap_or_default(),
            priority: record.priority,
            plan_digest: record.plan,
            state: record.state,
            total: record.total,
            done: record.done,
            failed: record.failed,
            requested_by: record.act.subject,
            reason: record.act.reason,
            ticket: record.act.ticket,
            created_at: record.created_at,
            finished_at: record.finished_at,
        }
    }
}
