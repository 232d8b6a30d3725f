//! Sources: the upstreams that documents come from and jobs work for.

mod changed;
mod create;
mod delete;
mod get;
mod list;
mod pause;
mod resume;
mod update;
mod view;

use utoipa_axum::routes;

use crate::route::Routes;

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(routes!(list::handler))
        .add(routes!(create::handler))
        .add(routes!(get::handler))
        .add(routes!(update::handler))
        .add(routes!(delete::handler))
        .add(routes!(pause::handler))
        .add(routes!(resume::handler))
}
