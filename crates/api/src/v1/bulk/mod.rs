//! Bulk actions: one action on everything that passes a filter.
//!
//! A preview says what would be hit, and a digest over just that; the action is taken only with this digest, and
//! is done to exactly these things, in slices, by a duty. Things that are no longer as the action needs them
//! when their turn comes are passed over and counted.

mod cancel;
mod create;
mod get;
mod list;
mod plan;
mod preview;
mod view;

use utoipa_axum::routes;

use crate::route::Routes;

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(routes!(preview::handler))
        .add(routes!(create::handler))
        .add(routes!(list::handler))
        .add(routes!(get::handler))
        .add(routes!(cancel::handler))
}
