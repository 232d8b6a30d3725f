//! The hosts to which a tenant confines its webhooks.

mod get;
mod put;

use std::collections::BTreeSet;

use jobengine_domain::egress::Hosts;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::route::Routes;

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(routes!(get::handler))
        .add(routes!(put::handler))
}

/// Hosts to which webhooks are confined
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WebhookHosts {
    /// Hosts (`hooks.example.com`) and everything below a host (`*.example.com`); empty confines nothing.
    #[schema(max_items = 100, example = json!(["hooks.example.com", "*.example.org"]))]
    hosts: BTreeSet<String>,
}

impl From<&Hosts> for WebhookHosts {
    fn from(hosts: &Hosts) -> Self {
        let hosts = hosts.0.iter().map(ToString::to_string).collect();
        Self { hosts }
    }
}
