//! Jobs: submitted in batches, read, called off.

mod artifact;
mod artifacts;
mod cancel;
mod detail;
mod explain;
mod get;
mod history;
mod lines;
mod list;
mod logs;
mod origin;
mod prioritize;
mod replay;
mod retry;
mod spec;
mod stream;
mod submit;
mod summary;
mod view;

use std::time::Duration;

use utoipa_axum::routes;

use crate::route::Routes;

pub(super) use origin::Origin;
pub(super) use replay::refuse_segments;
pub(super) use spec::{JobSpec, is_type};
pub(super) use view::{UnderWayView, raw};

/// An artifact of the largest size out of a busy database.
const ARTIFACT_MAX: Duration = Duration::from_mins(1);

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(routes!(submit::handler))
        .add(routes!(stream::handler))
        .add(routes!(list::handler))
        .add(routes!(summary::handler))
        .add(routes!(get::handler))
        .add(routes!(detail::handler))
        .add(routes!(history::handler))
        .add(routes!(explain::handler))
        .add(routes!(logs::handler))
        .add(routes!(artifacts::handler))
        .add_within(ARTIFACT_MAX, routes!(artifact::handler))
        .add(routes!(cancel::handler))
        .add(routes!(retry::handler))
        .add(routes!(replay::handler))
        .add(routes!(prioritize::handler))
}
