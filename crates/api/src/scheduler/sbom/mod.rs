//! SBOMs: brought in, listed, read again as they came.

mod get;
mod list;
mod put;

use crate::route::Routes;

pub(super) fn routes() -> Routes {
    Routes::new()
        .merge(put::routes())
        .merge(list::routes())
        .merge(get::routes())
}
