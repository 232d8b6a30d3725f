//! Dead letters: jobs out of attempts, awaiting a person.

mod assign;
mod discard;
mod get;
mod list;
mod replay;
mod stats;
mod view;

use utoipa_axum::routes;

use crate::route::Routes;

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(routes!(list::handler))
        .add(routes!(stats::handler))
        .add(routes!(get::handler))
        .add(routes!(replay::handler))
        .add(routes!(discard::handler))
        .add(routes!(assign::handler))
}
