//! Whether the tenant that a token names exists, and its project.

use std::time::Instant;

use jobengine_domain::caller::Caller;
use jobengine_domain::id::{ProjectId, TenantId};
use jobengine_store::{Store, StoreError};

use super::caller::Who;
use super::recent::Recent;
use crate::problem::Problem;

/// Tenants and projects that tokens named, as the ledger knew them a few seconds ago at most.
#[derive(Debug)]
pub(super) struct Existence {
    store: Store,
    recent: Recent<(TenantId, Option<ProjectId>), bool>,
}

impl Existence {
    pub(super) fn new(store: Store) -> Self {
        Self {
            store,
            recent: Recent::new(),
        }
    }

    /// Whether there is such a tenant, with such a project where the caller is bound to one.
    ///
    /// # Errors
    /// When that cannot be known: then nobody is believed.
    pub(super) async fn confirms(&self, who: &Who, now: Instant) -> Result<bool, Problem> {
        let (tenant, project) = (who.principal.tenant, who.principal.project);
        let load = self.load(tenant, project);
        self.recent.get((tenant, project), now, load).await
    }

    /// Forgets what is known of a project, after a change by this process.
    pub(super) fn forget(&self, tenant: TenantId, project: ProjectId) {
        self.recent.forget(&(tenant, Some(project)));
    }

    async fn load(&self, tenant: TenantId, project: Option<ProjectId>) -> Result<bool, StoreError> {
        let tx = self.store.read(&Caller::system(tenant)).await?;
        let knows = tx.tenant_knows(project).await?;
        tx.commit().await?;
        Ok(knows)
    }
}
