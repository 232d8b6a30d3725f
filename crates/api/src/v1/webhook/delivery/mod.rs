//! Deliveries: what was sent to a webhook, and what became of it.

mod list;
mod redeliver;
mod view;

use utoipa_axum::routes;

use crate::route::Routes;

pub(super) use view::DeliveryView;

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(routes!(list::handler))
        .add(routes!(redeliver::handler))
}
