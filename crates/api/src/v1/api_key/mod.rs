//! Service API keys: made, listed, ended. The secret is shown once.

mod create;
mod delete;
mod list;
mod view;

use utoipa_axum::routes;

use crate::route::Routes;

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(routes!(create::handler))
        .add(routes!(list::handler))
        .add(routes!(delete::handler))
}
