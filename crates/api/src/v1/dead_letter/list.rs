//! `GET /dead-letters`

use axum::Json;
use axum::extract::State;
use jobengine_domain::id::JobId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::identity::Caller;
use crate::page::page_limit;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::state::AppState;

/// The list and its order, as its tokens name it.
const BY: &str = "dead_letter job_id";

/// How many dead letters
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Items on the page, 1 to 500; 100 unless said otherwise.
    limit: Option<u32>,
    /// Where the page before ended.
    continuation_token: Option<String>,
}

/// A job out of attempts
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DeadLetter {
    /// The job that failed.
    job_id: Uuid,
    /// Its type.
    r#type: String,
    /// What its last attempt died of.
    #[schema(value_type = String, example = "network")]
    class: &'static str,
    /// What its worker said.
    detail: String,
    /// `open`, `replayed` or `discarded`.
    #[schema(example = "open")]
    decision: String,
    /// When the job failed.
    #[schema(format = DateTime)]
    opened_at: String,
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
    let limit = page_limit(query.limit)?;
    let after = caller
        .pages()
        .resume::<JobId>(BY, query.continuation_token.as_deref())?;
    let tx = state.store().read(&caller).await?;
    let letters = tx.dead_letter_list(after, limit).await?;
    tx.commit().await?;
    let continuation_token = caller
        .pages()
        .after_page(BY, &letters, limit, |last| last.job);
    let letters = letters.into_iter().map(|letter| DeadLetter {
        job_id: letter.job.0,
        r#type: letter.job_type,
        class: letter.class.as_str(),
        detail: letter.detail,
        decision: letter.decision,
        opened_at: letter.opened_at.to_string(),
    });
    Ok(Json(DeadLetterPage {
        items: letters.collect(),
        continuation_token,
    }))
}
