//! What readers of events ask for: which ones, and from where on.

use axum::http::HeaderMap;
use jobengine_domain::event::EventType;
use jobengine_domain::id::{JobId, ProjectId, RunId};
use jobengine_store::EventFilter;
use serde::Deserialize;

use crate::identity::Caller;
use crate::problem::{Code, Problem};
use crate::stream::{Start, cursor};

/// The header in which a browser's `EventSource` hands its cursor back.
const LAST_EVENT_ID: &str = "last-event-id";

/// Where a stream begins.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Origin {
    /// With what happens from now on.
    #[default]
    Now,
    /// With the oldest event that is kept.
    Oldest,
}

/// The fields by which events are chosen.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Wanted {
    pub(super) run_id: Option<RunId>,
    pub(super) job_id: Option<JobId>,
    pub(super) types: Option<String>,
    pub(super) project_id: Option<ProjectId>,
}

impl Wanted {
    /// As the store takes it. Whoever is bound to a project sees that one and no other.
    ///
    /// # Errors
    /// `PARAMETER_INVALID` for a type that does not exist.
    pub(super) fn filter(self, caller: &Caller) -> Result<EventFilter, Problem> {
        let types = self.types.as_deref().unwrap_or_default();
        let types = types
            .split(',')
            .filter(|name| !name.is_empty())
            .map(str::parse)
            .collect::<Result<Vec<EventType>, _>>()
            .map_err(|unknown| {
                let known: Vec<&str> = EventType::ALL.iter().map(|kind| kind.as_str()).collect();
                let detail = format!("types: {unknown}; there are {}", known.join(", "));
                Problem::new(Code::ParameterInvalid, detail)
            })?;
        let project = match (caller.project, self.project_id) {
            (Some(bound), Some(asked)) if bound != asked => {
                return Err(Problem::not_found("project"));
            }
            (bound, asked) => bound.or(asked),
        };
        Ok(EventFilter {
            run: self.run_id,
            job: self.job_id,
            types,
            project,
        })
    }
}

/// Where a reader begins: after its cursor, whichever way it hands it back, or else at `origin`.
///
/// # Errors
/// `PAGE_TOKEN_INVALID` for what is not a cursor of this tenant.
pub(super) fn start(
    caller: &Caller,
    headers: &HeaderMap,
    after: Option<&str>,
    origin: Origin,
) -> Result<Start, Problem> {
    // The browser's own cursor is newer than the URL, which stays as it was when the stream was first opened.
    let resumed = match headers.get(LAST_EVENT_ID).map(|value| value.to_str()) {
        Some(Ok("")) | None => after,
        Some(Ok(id)) => Some(id),
        Some(Err(_)) => Some(""),
    };
    match (resumed, origin) {
        (Some(token), _) => cursor::read(caller.pages(), token).map(Start::Cursor),
        (None, Origin::Now) => Ok(Start::Now),
        (None, Origin::Oldest) => Ok(Start::Oldest),
    }
}
