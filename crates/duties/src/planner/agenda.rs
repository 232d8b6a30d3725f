//! Which tenants have changes to plan: from what is new, and now and then from all there is.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jobengine_domain::id::TenantId;
use jobengine_store::{Store, StoreError};

use super::STREAM;

/// All tenants are asked this often, in case a change was overlooked: what is new is a wake-up, the cursor is the truth.
const SWEEP_EVERY: Duration = Duration::from_mins(10);

/// The tenants that have changes to plan, as far as is known.
#[derive(Debug)]
pub(super) struct Agenda {
    /// Those whose changes were seen and are not all planned.
    pub tenants: BTreeSet<TenantId>,
    /// Changes placed below this number were looked at.
    from: u64,
    swept: Option<Instant>,
}

impl Agenda {
    /// Nothing is known yet.
    pub(super) const fn new() -> Self {
        Self {
            tenants: BTreeSet::new(),
            from: 0,
            swept: None,
        }
    }

    /// Adds the tenants whose changes are new.
    ///
    /// # Errors
    /// [`StoreError`]; the next look finds the same.
    pub(super) async fn look(&mut self, store: &Store) -> Result<(), StoreError> {
        if self.swept.is_none_or(|at| at.elapsed() >= SWEEP_EVERY) {
            // Before the sweep: what is committed while it looks is found by the next look.
            let from = store.events_horizon().await?;
            let changed = store.tenants_changed(STREAM).await?;
            self.tenants.extend(changed);
            (self.from, self.swept) = (from, Some(Instant::now()));
            return Ok(());
        }
        loop {
            let news = store.changes_news(self.from).await?;
            self.tenants.extend(news.tenants);
            self.from = news.reached;
            if !news.more {
                return Ok(());
            }
        }
    }
}
