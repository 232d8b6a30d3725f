//! Jobs: submitted in batches, read, called off.

mod cancel;
mod get;
mod list;
mod origin;
mod spec;
mod submit;
mod view;

use utoipa_axum::routes;

use crate::route::Routes;

pub(super) use origin::Origin;
pub(super) use spec::{JobSpec, is_type};
pub(super) use view::raw;

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(routes!(submit::handler))
        .add(routes!(list::handler))
        .add(routes!(get::handler))
        .add(routes!(cancel::handler))
}
