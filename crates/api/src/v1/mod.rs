//! `/api/v1/orchestrator`: projects, sources, jobs, runs, packs, workers, dead letters, events, audit, credentials,
//! webhooks.

mod api_key;
mod audit;
mod bulk;
mod canceled;
mod dead_letter;
mod event;
mod job;
mod pack_run;
mod project;
mod revocation;
mod run;
mod source;
mod version;
mod webhook;
mod worker;

use crate::route::Routes;

/// The operations below `/api/v1/orchestrator`.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .merge(job::routes())
        .merge(run::routes())
        .merge(worker::routes())
        .merge(dead_letter::routes())
        .merge(pack_run::routes())
        .merge(project::routes())
        .merge(source::routes())
        .merge(bulk::routes())
        .merge(event::routes())
        .merge(audit::routes())
        .merge(api_key::routes())
        .merge(revocation::routes())
        .merge(webhook::routes())
}
