//! The worker's verbs, and workers as they are seen.

mod ack;
mod artifact;
mod claim;
mod complete;
mod get;
mod heartbeat;
mod held;
mod list;
mod log;
mod progress;
mod report;

use std::time::Duration;

use jobengine_domain::defaults::CLAIM_WAIT_MAX_MS;
use utoipa_axum::routes;

use crate::route::Routes;

/// A claim has the time of any operation, and that of its wait.
const CLAIM_MAX: Duration = Duration::from_millis(15_000 + CLAIM_WAIT_MAX_MS);
/// An artifact of the largest size over a slow line.
const ARTIFACT_MAX: Duration = Duration::from_mins(2);

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(routes!(list::handler))
        .add(routes!(get::handler))
        .add_within(CLAIM_MAX, routes!(claim::handler))
        .add(routes!(ack::handler))
        .add(routes!(heartbeat::handler))
        .add(routes!(progress::handler))
        .add(routes!(log::handler))
        .add_within(ARTIFACT_MAX, routes!(artifact::handler))
        .add(routes!(complete::handler))
}
