//! `GET /events`

use axum::Json;
use axum::extract::State;
use jobengine_store::{EventRecord, Place};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::identity::Caller;
use crate::page::page_limit;
use crate::params::QueryParams;
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// The list and its order, as its tokens name it.
const BY: &str = "event txid event_id";

/// How many events, from where on
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Items on the page, 1 to 500; 100 unless said otherwise.
    limit: Option<u32>,
    /// Where the page before ended; from the oldest event on unless said otherwise.
    continuation_token: Option<String>,
}

/// Something that happened
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Event)]
struct EventView {
    /// Its id, as a URN.
    #[schema(example = "urn:orch:event:0190f1de-0000-7000-8000-000000000001")]
    event_id: String,
    /// What kind of thing: `job.submitted`, `job.leased`, `job.succeeded`, `run.finished`, …
    #[schema(example = "job.succeeded")]
    event_type: String,
    /// When.
    #[schema(format = DateTime)]
    occurred_at: String,
    /// The run it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<Uuid>,
    /// The job it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    job_id: Option<Uuid>,
    /// The attempt it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    /// Why, in a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// A page of events
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventPage {
    /// The events, in the order in which they were committed.
    items: Vec<EventView>,
    /// Where to go on: the next page, or, at the end, what has not happened yet.
    continuation_token: String,
}

/// Follow events
///
/// In commit order and without gaps: ask again with the token of the last answer, also when that
/// was empty, and no event is missed or seen twice.
#[utoipa::path(
    get, path = "/events", operation_id = "event_list", tag = "events",
    extensions(("x-scope" = json!("orch:read"))),
    params(Query),
    responses(
        (status = 200, description = "A page of events", body = EventPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<Query>,
) -> Result<Json<EventPage>, Problem> {
    let limit = page_limit(query.limit)?;
    let after = place(&caller, query.continuation_token.as_deref())?;
    let tx = state.store().read(&caller).await?;
    let events = tx.events_page(&after, limit).await?;
    tx.commit().await?;
    let last = events.last().map_or(&after, |event| &event.place);
    Ok(Json(EventPage {
        continuation_token: caller.pages().continuation(BY, &last.parts()),
        items: events.into_iter().map(EventView::from).collect(),
    }))
}

fn place(caller: &Caller, token: Option<&str>) -> Result<Place, Problem> {
    let Some((txid, row)) = caller.pages().resume::<(String, Uuid)>(BY, token)? else {
        return Ok(Place::start());
    };
    Place::from_parts(&txid, row).ok_or_else(|| {
        Problem::new(
            Code::PageTokenInvalid,
            "start again without continuationToken",
        )
    })
}

impl From<EventRecord> for EventView {
    fn from(event: EventRecord) -> Self {
        Self {
            event_id: format!("urn:orch:event:{}", event.id),
            event_type: event.kind,
            occurred_at: event.occurred_at.to_string(),
            run_id: event.run.map(|run| run.0),
            job_id: event.job.map(|job| job.0),
            attempt: event.attempt,
            reason: event.reason,
        }
    }
}
