//! `GET /dead-letters`

use axum::Json;
use axum::extract::State;
use jobengine_domain::caller::Scope;
use jobengine_domain::class::FailureClass;
use jobengine_domain::id::{JobId, RunId};
use jobengine_domain::time::Timestamp;
use jobengine_store::DeadLetterFilter;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::view::DeadLetter;
use crate::class::ClassName;
use crate::identity::Caller;
use crate::page::page_limit;
use crate::params::QueryParams;
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// The list and its order, as its tokens name it.
const BY: &str = "dead_letter job_id";
/// Every decision.
const DECISIONS: [&str; 3] = ["open", "replayed", "discarded"];

/// Which dead letters, and how many. Filters narrow each other
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Only those decided so: `open`, `replayed` or `discarded`.
    #[param(pattern = "^(open|replayed|discarded)$")]
    decision: Option<String>,
    /// Only jobs that died of this.
    #[param(value_type = Option<ClassName>, inline)]
    class: Option<FailureClass>,
    /// Only jobs of this type.
    r#type: Option<String>,
    /// Only those with exactly this signature.
    signature: Option<String>,
    /// Only those that this person looks after.
    owner: Option<String>,
    /// Only jobs for this source.
    source: Option<String>,
    /// Only jobs of this run.
    #[param(value_type = Option<Uuid>)]
    run_id: Option<RunId>,
    /// Only those opened at this moment or later (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Only those opened before this moment (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Items on the page, 1 to 500; 100 unless said otherwise.
    limit: Option<u32>,
    /// Where the page before ended.
    continuation_token: Option<String>,
}

/// A page of dead letters
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeadLetterPage {
    /// The dead letters, oldest job first.
    items: Vec<DeadLetter>,
    /// Where the next page starts; null on the last one.
    continuation_token: Option<String>,
}

/// List dead letters
///
/// Jobs that ran out of attempts, or failed in a way that trying again cannot cure.
#[utoipa::path(
    get, path = "/dead-letters", operation_id = "dead_letter_list", tag = "dead letters",
    extensions(("x-scope" = json!("orch:read"))),
    params(Query),
    responses(
        (status = 200, description = "A page of dead letters", body = DeadLetterPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<Query>,
) -> Result<Json<DeadLetterPage>, Problem> {
    let known = |decision: &String| DECISIONS.contains(&decision.as_str());
    if !query.decision.as_ref().is_none_or(known) {
        let detail = format!("decision is one of {}", DECISIONS.join(", "));
        return Err(Problem::new(Code::ParameterInvalid, detail));
    }
    let limit = page_limit(query.limit)?;
    let pages = caller.pages();
    let after: Option<JobId> = pages.resume(BY, query.continuation_token.as_deref())?;
    let filter = DeadLetterFilter {
        decision: query.decision,
        class: query.class,
        job_type: query.r#type,
        signature: query.signature,
        owner: query.owner,
        source: query.source,
        run: query.run_id,
        from: query.from,
        to: query.to,
    };
    let tx = state.store().read(&caller).await?;
    let letters = tx.dead_letter_list(&filter, after, limit).await?;
    tx.commit().await?;
    let continuation_token = pages.after_page(BY, &letters, limit, |last| last.job);
    let payload = caller.has(Scope::Payload);
    let letters = letters.into_iter();
    Ok(Json(DeadLetterPage {
        items: letters
            .map(|letter| DeadLetter::of(letter, payload))
            .collect(),
        continuation_token,
    }))
}
