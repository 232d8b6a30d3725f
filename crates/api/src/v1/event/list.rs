//! `GET /events`

use axum::Json;
use axum::extract::State;
use jobengine_domain::event::Delivery;
use jobengine_domain::id::{JobId, ProjectId, RunId};
use jobengine_domain::stream::{Cursor, Place};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use utoipa::{IntoParams, ToSchema};

use super::query::Wanted;
use super::view::EventView;
use crate::identity::Caller;
use crate::page::page_limit;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::state::AppState;
use crate::stream::cursor;

/// Which events, how many, from where on
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Only events of this run.
    #[param(value_type = Option<Uuid>)]
    run_id: Option<RunId>,
    /// Only events of this job.
    #[param(value_type = Option<Uuid>)]
    job_id: Option<JobId>,
    /// Only events of these types, separated by commas.
    #[param(example = "job.succeeded,job.failed")]
    types: Option<String>,
    /// Only events of this project.
    #[param(value_type = Option<Uuid>)]
    project_id: Option<ProjectId>,
    /// Items on the page, 1 to 500; 100 unless said otherwise.
    limit: Option<u32>,
    /// Where the page before ended, or the cursor of a stream; from the oldest event that is kept on unless said
    /// otherwise.
    continuation_token: Option<String>,
}

/// A page of events
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventPage {
    /// The events, in the order in which they were committed.
    #[schema(value_type = Vec<EventView>)]
    items: Vec<Box<RawValue>>,
    /// Where to go on: the next page, or, at the end, what has not happened yet.
    continuation_token: String,
}

/// Follow events
///
/// In commit order and without gaps: ask again with the token of the last answer, also when that
/// was empty, and no event is missed or seen twice. A page may hold few events or none although more
/// are to come, when a filter keeps few of them.
#[utoipa::path(
    get, path = "/events", operation_id = "event_list", tag = "events",
    extensions(("x-scope" = json!("orch:read"))),
    params(Query),
    responses(
        (status = 200, description = "A page of events", body = EventPage),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID, PAGE_TOKEN_INVALID)"),
        (status = 404, description = "The token is bound to another project (NOT_FOUND)"),
        (status = 410, description = "What came after the token is no longer kept (EVENT_CURSOR_EXPIRED)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<Query>,
) -> Result<Json<EventPage>, Problem> {
    let limit = page_limit(query.limit)?;
    let token = query.continuation_token.as_deref();
    let resumed = token
        .map(|token| cursor::read(caller.pages(), token))
        .transpose()?;
    let wanted = Wanted {
        run_id: query.run_id,
        job_id: query.job_id,
        types: query.types,
        project_id: query.project_id,
    };
    let filter = wanted.filter(&caller)?;
    let tx = state.store().read(&caller).await?;
    let after = if let Some(cursor) = resumed {
        cursor
    } else {
        let bounds = tx.events_bounds().await?;
        Cursor {
            epoch: bounds.epoch,
            place: bounds.trimmed_to.unwrap_or(Place::start()),
        }
    };
    let page = tx.events_after(&after, &filter, limit).await?;
    tx.commit().await?;
    let reached = Cursor {
        epoch: page.epoch,
        place: page.reached,
    };
    let items = page
        .events
        .iter()
        .map(|record| to_raw_value(&record.event.envelope(Delivery::List)))
        .collect::<Result<_, _>>()
        .expect("an envelope is plain JSON");
    Ok(Json(EventPage {
        items,
        continuation_token: cursor::write(caller.pages(), &reached),
    }))
}
