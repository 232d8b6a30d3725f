//! Tokens that are refused before they expire.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use jobengine_domain::caller::Caller;
use jobengine_domain::id::TenantId;
use jobengine_domain::time::Timestamp;
use jobengine_store::{Revoked, Store, StoreError};

use super::caller::{CredentialKind, Who};
use super::recent::Recent;
use crate::problem::Problem;

/// The revocations of each tenant, as they were a few seconds ago at most.
#[derive(Debug)]
pub(super) struct Revocations {
    store: Store,
    recent: Recent<TenantId, Arc<Standing>>,
}

/// What is refused, of one tenant.
#[derive(Debug, Default)]
struct Standing {
    subjects: HashMap<String, Timestamp>,
    tokens: HashSet<String>,
}

impl Revocations {
    pub(super) fn new(store: Store) -> Self {
        Self {
            store,
            recent: Recent::new(),
        }
    }

    /// Whether what somebody showed was taken back.
    ///
    /// # Errors
    /// When that cannot be known: then nobody is believed.
    pub(super) async fn refuse(&self, who: &Who, now: Instant) -> Result<bool, Problem> {
        let tenant = who.principal.tenant;
        let load = async { self.load(tenant).await.map(Arc::new) };
        let standing = self.recent.get(tenant, now, load).await?;
        Ok(standing.refuses(who))
    }

    /// Forgets what is known of a tenant, after a change by this process.
    pub(super) fn forget(&self, tenant: TenantId) {
        self.recent.forget(&tenant);
    }

    async fn load(&self, tenant: TenantId) -> Result<Standing, StoreError> {
        let tx = self.store.read(&Caller::system(tenant)).await?;
        let all = tx.revocations_standing().await?;
        tx.commit().await?;
        Ok(all.into_iter().collect())
    }
}

impl Standing {
    fn refuses(&self, who: &Who) -> bool {
        let CredentialKind::Token { id } = &who.shown.kind else {
            // A key is ended where it stands, and those of a revoked service with it.
            return false;
        };
        // Tokens count in whole seconds: one of the very second may be of before, and is refused.
        let issued_at = who.shown.issued_at;
        let until = self.subjects.get(&who.principal.subject);
        until.is_some_and(|until| issued_at <= *until) || self.tokens.contains(id)
    }
}

impl FromIterator<Revoked> for Standing {
    fn from_iter<I: IntoIterator<Item = Revoked>>(all: I) -> Self {
        let mut standing = Self::default();
        for revoked in all {
            match revoked {
                Revoked::Subject {
                    subject,
                    not_before,
                } => {
                    let until = standing.subjects.entry(subject).or_insert(not_before);
                    *until = not_before.max(*until);
                }
                Revoked::Token { id } => {
                    standing.tokens.insert(id);
                }
            }
        }
        standing
    }
}
