//! The audit trail: read it, export it, verify it.

mod checkpoints;
mod export;
mod get;
mod lines;
mod list;
mod range;
mod verify;
mod view;

use utoipa_axum::routes;

use crate::route::Routes;

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(routes!(list::handler))
        .add(routes!(checkpoints::handler))
        .add(routes!(verify::handler))
        .add(routes!(export::handler))
        .add(routes!(get::handler))
}
