//! Runs: jobs started together.

mod cancel;
mod create;
mod dag;
mod first_signal;
mod gantt;
mod get;
mod list;
mod retry;
mod shape;
mod view;

use utoipa_axum::routes;

use crate::route::Routes;

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(routes!(create::handler))
        .add(routes!(list::handler))
        .add(routes!(get::handler))
        .add_within(first_signal::WITHIN, routes!(first_signal::handler))
        .add(routes!(dag::handler))
        .add(routes!(gantt::handler))
        .add(routes!(cancel::handler))
        .add(routes!(retry::handler))
}
