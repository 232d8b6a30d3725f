//! Webhooks: addresses outside that are told of events.

mod create;
mod delivery;
mod get;
mod hosts;
mod list;
mod pause;
mod remove;
mod resume;
mod rotate;
mod secret;
mod spec;
mod test;
mod update;
mod view;

use utoipa_axum::routes;

use crate::route::Routes;

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(routes!(create::handler))
        .add(routes!(list::handler))
        .add(routes!(get::handler))
        .add(routes!(update::handler))
        .add(routes!(remove::handler))
        .add(routes!(test::handler))
        .add(routes!(rotate::handler))
        .add(routes!(pause::handler))
        .add(routes!(resume::handler))
        .merge(delivery::routes())
        .merge(hosts::routes())
}
