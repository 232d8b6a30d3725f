//! The hosts to which a tenant confines its webhooks.

use std::collections::BTreeSet;

use jobengine_domain::egress::{HostPattern, Hosts};

use crate::caller::Tx;
use crate::error::StoreError;
use crate::ts::Ts;

impl Tx {
    /// The hosts to which the tenant confines its webhooks.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn webhook_hosts(&self) -> Result<Hosts, StoreError> {
        let row = self.query_opt(include_str!("hosts.sql"), &[]).await?;
        let Some(row) = row else {
            return Ok(Hosts::default());
        };
        let hosts: Vec<&str> = row.get("hosts");
        let read = |host: &str| host.parse::<HostPattern>().ok();
        let hosts: Option<BTreeSet<_>> = hosts.into_iter().map(read).collect();
        hosts.map(Hosts).ok_or(StoreError::Corrupt {
            place: "webhook_hosts.hosts",
        })
    }

    /// Confines the tenant's webhooks to some hosts; an empty list confines nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn webhook_hosts_put(&self, hosts: &Hosts) -> Result<(), StoreError> {
        let names: Vec<String> = hosts.0.iter().map(ToString::to_string).collect();
        self.execute(
            include_str!("hosts_put.sql"),
            &[&self.tenant().0, &names, &Ts(self.now())],
        )
        .await?;
        Ok(())
    }
}
