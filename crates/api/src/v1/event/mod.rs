//! Events: what happened, in commit order; page by page, or as a stream.

mod list;
mod of_job;
mod of_one;
mod of_run;
mod query;
mod socket;
mod stream;
mod view;

use utoipa_axum::routes;

use crate::route::Routes;

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(routes!(list::handler))
        .add(routes!(stream::handler))
        .add(routes!(of_run::handler))
        .add(routes!(of_job::handler))
        .add(routes!(socket::handler))
}
