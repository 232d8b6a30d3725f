//! `GET /refusals`: records of a source that could not be read, for whoever looks after the source.

use axum::Json;
use axum::extract::State;
use jobengine_domain::digest::Digest;
use jobengine_domain::id::SourceId;
use jobengine_domain::time::Timestamp;
use jobengine_impact::document::DocumentError;
use jobengine_impact::refusal::Seen;
use jobengine_store::{NewRefusal, RefusalEffect, RefusalFilter, RefusalKind, RefusalRecord};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::name::SourceName;
use crate::act::{Act, Done};
use crate::identity::Caller;
use crate::page::page_limit;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::route::Routes;
use crate::state::AppState;

/// The list and its order.
const BY: &str = "refusals";
/// Longest id of a record, in bytes; one with a longer id is known by its digest.
const ID_MAX_BYTES: usize = 500;

pub(super) fn routes() -> Routes {
    Routes::new().add(routes!(refusal_list))
}

/// Which refusals, and which page of them. Filters narrow each other.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only records of this source.
    #[param(value_type = Option<String>, max_length = 200, example = "osv")]
    source: Option<SourceName>,
    /// Only records of this kind: `advisory`, `kev` or `vex`.
    #[param(inline)]
    kind: Option<Kind>,
    /// Only records that are `refused`, or only those that count in part (`partial`).
    #[param(inline)]
    effect: Option<Effect>,
    /// Items on the page, 1 to 500; 100 unless said otherwise.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The token of the page before.
    continuation_token: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Advisory,
    Kev,
    Vex,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum Effect {
    Refused,
    Partial,
}

impl From<Kind> for RefusalKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Advisory => Self::Advisory,
            Kind::Kev => Self::Kev,
            Kind::Vex => Self::Vex,
        }
    }
}

impl From<Effect> for RefusalEffect {
    fn from(effect: Effect) -> Self {
        match effect {
            Effect::Refused => Self::Refused,
            Effect::Partial => Self::Partial,
        }
    }
}

/// A record that could not be read, in whole or in part, when it came last.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Refusal {
    /// Where it comes from.
    source: String,
    /// What it would be: `advisory`, `kev` or `vex`.
    kind: String,
    /// Its id within the source, of a VEX document its location; absent where no id can be read.
    #[schema(example = "PYSEC-2025-80")]
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// `refused`: nothing of it counts, and what was stored under its id stays. `partial`: what can be read counts.
    #[schema(example = "refused")]
    effect: String,
    /// The code of its first problem, as in the answer to the upload.
    #[schema(example = "ADVISORY_FIELD_INVALID")]
    code: String,
    /// Where its first problem is in the upload.
    #[schema(example = "line 12: affected[0].ranges[0].type")]
    place: String,
    /// Its first problem, for people.
    detail: String,
    /// How many problems it has.
    problems: u32,
    /// SHA-256 of the record as it came.
    #[schema(value_type = String)]
    digest: Digest,
    /// When it came first in exactly this form.
    #[schema(value_type = String, format = DateTime)]
    first_seen_at: Timestamp,
    /// When it came last.
    #[schema(value_type = String, format = DateTime)]
    last_seen_at: Timestamp,
}

impl Refusal {
    pub(super) fn of(record: RefusalRecord) -> Self {
        Self {
            source: record.source_name,
            kind: record.kind,
            id: record.named.then_some(record.record),
            effect: record.effect,
            code: record.code,
            place: record.place,
            detail: record.detail,
            problems: record.problems,
            digest: record.digest,
            first_seen_at: record.first_seen_at,
            last_seen_at: record.last_seen_at,
        }
    }
}

/// A page of refusals.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RefusalPage {
    /// Sorted by source, kind and id.
    items: Vec<Refusal>,
    /// Records of the source (or of all) that are not listed, because a list holds 1,000 of one source and kind;
    /// since the source's last snapshot of advisories.
    dropped: u64,
    /// Where the next page starts; `null` on the last one.
    continuation_token: Option<String>,
}

/// List what could not be read
///
/// Records that were refused, and those of which only a part counts, as they came last. A record leaves the list
/// when it comes again and can be read in full, when a snapshot no longer has it, or with its source; one without a
/// readable id also 30 days after it came last.
#[utoipa::path(
    get, path = "/refusals", operation_id = "refusal_list", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.read"))),
    params(Filter),
    responses(
        (status = 200, description = "A page of records", body = RefusalPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
async fn refusal_list(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<Filter>,
) -> Result<Json<RefusalPage>, Problem> {
    let limit = page_limit(query.limit)?;
    let after: Option<(SourceId, String, String)> = caller
        .pages()
        .resume(BY, query.continuation_token.as_deref())?;
    let tx = state.store().read(&caller).await?;
    let mut source = None;
    if let Some(name) = &query.source {
        source = tx.source_find(name.as_str()).await?;
        if source.is_none() {
            tx.commit().await?;
            return Ok(Json(RefusalPage {
                items: Vec::new(),
                dropped: 0,
                continuation_token: None,
            }));
        }
    }
    let filter = RefusalFilter {
        source,
        kind: query.kind.map(Into::into),
        effect: query.effect.map(Into::into),
    };
    let place = after
        .as_ref()
        .map(|(source, kind, record)| (*source, kind.as_str(), record.as_str()));
    let records = tx.refusal_list(&filter, place, limit).await?;
    let dropped = tx.refusals_dropped(source).await?;
    tx.commit().await?;
    let place = |last: &RefusalRecord| (last.source, last.kind.clone(), last.record.clone());
    let continuation_token = caller.pages().after_page(BY, &records, limit, place);
    Ok(Json(RefusalPage {
        items: records.into_iter().map(Refusal::of).collect(),
        dropped,
        continuation_token,
    }))
}

/// A record that cannot be read, by its id, or by its digest where it has none that could be kept.
pub(super) fn refusal(
    bytes: &[u8],
    id: Option<String>,
    effect: RefusalEffect,
    error: &DocumentError,
    problems: u32,
) -> NewRefusal {
    let digest = Digest::of(bytes);
    let id = id.filter(|id| id.len() <= ID_MAX_BYTES && !id.chars().any(char::is_control));
    NewRefusal {
        named: id.is_some(),
        record: id.unwrap_or_else(|| digest.to_string()),
        effect,
        code: error.code.as_str(),
        place: error.place.clone(),
        detail: error.detail.clone(),
        problems,
        digest,
    }
}

/// Takes note of an upload of which nothing counts, and gives the answer to it. The note is committed, so that
/// not only the uploader knows. Its key stays free, as that of every refused request.
pub(super) async fn refuse(
    state: &AppState,
    act: &Act,
    source: &str,
    kind: RefusalKind,
    refusals: &[NewRefusal],
    error: DocumentError,
) -> Problem {
    let problem = Problem::from(error);
    let act = act.unkeyed();
    let noted = act.perform(state, async |tx| {
        let source = tx.source_take(source).await?;
        tx.refusals_put(source, kind, Seen::Some(&[]), refusals)
            .await?;
        Ok(Done::no_content().of("refusals", source))
    });
    match noted.await {
        Ok(_) => problem,
        Err(other) => other,
    }
}
