//! Where jobs and runs come from: what the request says of all of them.

use jobengine_domain::id::ProjectId;

use crate::act::Act;

/// What jobs take over from the request that starts them.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// The project of the caller.
    pub project: Option<ProjectId>,
    /// Follows them through logs and events.
    pub correlation_id: String,
    /// Where their trace begins.
    pub traceparent: Option<String>,
}

impl Origin {
    /// Of a request; `correlation` is what its body says.
    pub(crate) fn of(act: &Act, correlation: Option<String>) -> Self {
        let ids = act.ids();
        Self {
            project: act.caller().project,
            correlation_id: correlation.unwrap_or_else(|| ids.correlation_id.clone()),
            traceparent: Some(ids.traceparent()),
        }
    }
}
