//! Steps of the database's clock, on record.

use jobengine_domain::caller::Caller;
use jobengine_domain::event::EventType;
use jobengine_domain::id::TenantId;
use jobengine_domain::leader::Bid;
use uuid::Uuid;

use crate::connect::Store;
use crate::error::StoreError;

/// The duty that watches the clock.
const WATCH: &str = "clock";

impl Store {
    /// Records in the installation's stream that the database's clock was set by so many milliseconds. Every replica
    /// notices it; the one that leads writes it down. Whether this one did.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clock_stepped(&self, replica: Uuid, by_ms: i64) -> Result<bool, StoreError> {
        let tx = self.begin(&Caller::system(TenantId::INSTALLATION)).await?;
        let leads = matches!(
            tx.leader_bid(WATCH, replica).await?,
            Bid::Keep(_) | Bid::Take(_)
        );
        if leads {
            let by = by_ms.to_string();
            tx.event_write(EventType::ClockStepped, None, Some(&by))
                .await?;
        }
        tx.commit().await?;
        Ok(leads)
    }
}
