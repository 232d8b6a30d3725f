//! Dead letters: jobs out of attempts, awaiting a person.

mod list;

use utoipa_axum::routes;

use crate::route::Routes;

pub(super) fn routes() -> Routes {
    Routes::new().add(routes!(list::handler))
}
