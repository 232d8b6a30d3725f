//! `POST /dead-letters/{jobId}:assign`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::caller::Scope;
use jobengine_domain::id::JobId;
use jobengine_store::StoreError;
use serde::Deserialize;
use utoipa::ToSchema;

use super::discard::decided;
use super::view::DeadLetter;
use crate::act::{Act, Done};
use crate::check::Checks;
use crate::json::{JSON_MAX_BYTES, JsonBody};
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;

/// Longest name of a person.
const OWNER_MAX: usize = 200;

/// Who looks after a dead letter
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Assign {
    /// Who; null: nobody.
    #[schema(min_length = 1, max_length = 200, example = "anna")]
    owner: Option<String>,
}

/// Assign a dead letter
///
/// Says who looks after it, while it is open.
#[utoipa::path(
    post, path = "/dead-letters/{jobId}:assign", operation_id = "dead_letter_assign", tag = "dead letters",
    extensions(("x-scope" = json!("orch:operate")), ("x-effect" = json!("audited"))),
    params(("jobId" = uuid::Uuid, Path, description = "The id of the job that failed")),
    request_body = Assign,
    responses(
        (status = 200, description = "The dead letter as it is now", body = DeadLetter),
        (status = 400, description = "The id or the body cannot be read (PARAMETER_INVALID, JSON_MALFORMED)"),
        (status = 404, description = "No dead letter of this tenant (NOT_FOUND)"),
        (status = 409, description = "It was decided before (DEAD_LETTER_DECIDED)"),
        (status = 413, description = "More than 256 KiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Not application/json (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "A field is not valid (REQUEST_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    PathParams(id): PathParams<JobId>,
    JsonBody(Assign { owner }): JsonBody<Assign, JSON_MAX_BYTES>,
) -> Result<Response, Problem> {
    if let Some(owner) = &owner {
        let mut checks = Checks::default();
        checks.text(|| "owner".to_owned(), owner, OWNER_MAX);
        checks.end()?;
    }
    let payload = act.caller().has(Scope::Payload);
    act.perform(&state, async |tx| {
        let Some(letter) = tx.dead_letter_find(id).await? else {
            return Err(Problem::not_found("dead letter").into());
        };
        if letter.decision != "open" {
            return Err(decided().into());
        }
        tx.dead_letter_assign(id, owner.as_deref()).await?;
        let before = DeadLetter::of(letter, payload).digest();
        let letter = tx.dead_letter_find(id).await?;
        let letter = letter.ok_or(StoreError::Stale("the dead letter"))?;
        let view = DeadLetter::of(letter, payload);
        Ok(Done::ok(view).of("dead_letter", id).before(before))
    })
    .await
}
