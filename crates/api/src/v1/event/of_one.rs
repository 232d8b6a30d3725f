//! What the streams of one job and of one run have in common.

use axum::http::HeaderMap;
use jobengine_store::EventFilter;
use serde::Deserialize;
use utoipa::IntoParams;

use super::query::{Origin, Wanted, start};
use crate::identity::Caller;
use crate::problem::Problem;
use crate::stream::Start;

/// Which events of it, from where on
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Only events of these types, separated by commas.
    #[param(example = "job.succeeded,job.failed")]
    types: Option<String>,
    /// Go on after this cursor; `Last-Event-ID` says the same and goes before it.
    after: Option<String>,
}

impl Query {
    /// Where the stream begins, without a cursor at the oldest event that is kept, and what it holds of `one`.
    ///
    /// # Errors
    /// `PAGE_TOKEN_INVALID` for what is not a cursor of this tenant, `PARAMETER_INVALID` for a type that does not
    /// exist.
    pub(super) fn read(
        self,
        caller: &Caller,
        headers: &HeaderMap,
        mut one: Wanted,
    ) -> Result<(Start, EventFilter), Problem> {
        let start = start(caller, headers, self.after.as_deref(), Origin::Oldest)?;
        one.types = self.types;
        Ok((start, one.filter(caller)?))
    }
}
