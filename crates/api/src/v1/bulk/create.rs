//! `POST /bulk-actions`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::caller::Scope;
use jobengine_domain::digest::Digest;
use jobengine_domain::priority::Priority;
use jobengine_store::{NewBulk, StoreError};
use serde::Deserialize;
use utoipa::ToSchema;

use super::plan::{BulkDeadLetters, BulkJobs, BulkSpec, BulkVerb};
use super::view::BulkAction;
use crate::act::{Act, Done};
use crate::json::{JSON_MAX_BYTES, JsonBody};
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// Beyond so many things an operator says why.
const UNEXPLAINED_MAX: usize = 100;

/// A bulk action, and the preview that it was confirmed from
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CreateBulkAction {
    /// What is to be done, as it was previewed.
    action: BulkVerb,
    /// To these jobs; or say `deadLetters`.
    jobs: Option<BulkJobs>,
    /// To these open dead letters; or say `jobs`.
    dead_letters: Option<BulkDeadLetters>,
    /// The new band, of `prioritize`.
    #[schema(value_type = Option<String>, pattern = "^(low|normal|high|emergency)$")]
    priority: Option<Priority>,
    /// The digest that the preview gave.
    #[schema(value_type = String)]
    plan_digest: Digest,
}

/// Take a bulk action
///
/// Done to exactly what the preview counted, in the background and in slices; each leaves an audit row of whoever asked. Beyond
/// 100 things `X-Stella-Operator-Reason` says why. A replay needs `orch:backfill`, a reason and
/// `X-Stella-Operator-Ticket`.
#[utoipa::path(
    post, path = "/bulk-actions", operation_id = "bulk_action_create", tag = "bulk",
    extensions(("x-scope" = json!("orch:operate")), ("x-effect" = json!("audited"))),
    request_body = CreateBulkAction,
    responses(
        (status = 202, description = "It will be done", body = BulkAction),
        (status = 400, description = "The body is not JSON as we take it (JSON_MALFORMED)"),
        (status = 409, description = "Other things pass the filter by now (PLAN_CHANGED)"),
        (status = 413, description = "More than 256 KiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Not application/json (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "A field is not valid, reason or ticket is missing, or too much passes (REQUEST_INVALID, REASON_REQUIRED, TICKET_REQUIRED, BULK_TOO_LARGE)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    JsonBody(request): JsonBody<CreateBulkAction, JSON_MAX_BYTES>,
) -> Result<Response, Problem> {
    let spec = BulkSpec {
        action: request.action,
        jobs: request.jobs,
        dead_letters: request.dead_letters,
        priority: request.priority,
    };
    spec.check()?;
    let mut record = act.record();
    if spec.action == BulkVerb::Replay {
        act.caller().require(Scope::Backfill)?;
        act.require_reason()?;
        act.require_ticket()?;
        Scope::Backfill.as_str().clone_into(&mut record.scope);
    }
    let filter = serde_json::to_string(&spec).expect("a filter is plain JSON");
    act.perform(&state, async |tx| {
        let plan = spec.plan(&tx).await?;
        if plan.digest != request.plan_digest {
            let count = plan.items.len();
            let detail =
                format!("{count} things pass the filter now, not the ones that were previewed");
            return Err(Problem::new(Code::PlanChanged, detail).into());
        }
        if plan.items.len() > UNEXPLAINED_MAX {
            act.require_reason()?;
        }
        let bulk = NewBulk {
            action: spec.action.as_str().to_owned(),
            target: spec.target().to_owned(),
            filter: filter.clone(),
            priority: spec.priority,
            plan: plan.digest,
            items: plan.items,
        };
        let id = tx.bulk_create(&bulk, &record).await?;
        let record = tx.bulk_find(id).await?;
        let record = record.ok_or(StoreError::Stale("the bulk action"))?;
        Ok(Done::accepted(BulkAction::of(record)).of("bulk_action", id))
    })
    .await
}
