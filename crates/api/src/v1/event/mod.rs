//! Events: what happened, in commit order.

mod list;

use utoipa_axum::routes;

use crate::route::Routes;

pub(super) fn routes() -> Routes {
    Routes::new().add(routes!(list::handler))
}
