//! `POST /dead-letters/{jobId}:discard`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::caller::Scope;
use jobengine_domain::id::JobId;
use jobengine_store::StoreError;

use super::view::DeadLetter;
use crate::act::{Act, Done};
use crate::params::PathParams;
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// Discard a dead letter
///
/// Nothing more is done about the job. Why stands in `X-Stella-Operator-Reason`, when it is said.
#[utoipa::path(
    post, path = "/dead-letters/{jobId}:discard", operation_id = "dead_letter_discard", tag = "dead letters",
    extensions(("x-scope" = json!("orch:operate")), ("x-effect" = json!("audited"))),
    params(("jobId" = uuid::Uuid, Path, description = "The id of the job that failed")),
    responses(
        (status = 200, description = "The dead letter as it is now", body = DeadLetter),
        (status = 400, description = "The id cannot be read (PARAMETER_INVALID)"),
        (status = 404, description = "No dead letter of this tenant (NOT_FOUND)"),
        (status = 409, description = "It was decided before (DEAD_LETTER_DECIDED)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    PathParams(id): PathParams<JobId>,
) -> Result<Response, Problem> {
    let payload = act.caller().has(Scope::Payload);
    act.perform(&state, async |tx| {
        let Some(letter) = tx.dead_letter_find(id).await? else {
            return Err(Problem::not_found("dead letter").into());
        };
        let subject = &act.caller().subject;
        if tx
            .dead_letters_discard(&[id], subject, act.reason())
            .await?
            == 0
        {
            return Err(decided().into());
        }
        let before = DeadLetter::of(letter, payload).digest();
        let letter = tx.dead_letter_find(id).await?;
        let letter = letter.ok_or(StoreError::Stale("the dead letter"))?;
        let view = DeadLetter::of(letter, payload);
        Ok(Done::ok(view).of("dead_letter", id).before(before))
    })
    .await
}

/// A dead letter is decided once.
pub(super) fn decided() -> Problem {
    Problem::new(
        Code::DeadLetterDecided,
        "it was replayed or discarded before; read it to see by whom",
    )
}
