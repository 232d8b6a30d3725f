//! Who does a duty for a tenant that one replica should do at a time.

use jobengine_domain::leader::{Bid, LEADER_MS, Leader, bid};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::caller::Tx;
use crate::error::{StoreError, expect_one};
use crate::ts::Ts;

impl Tx {
    /// Leads a duty, or says until when another does. Commit before acting on it.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when another took over meanwhile.
    pub async fn leader_bid(&self, duty: &str, replica: Uuid) -> Result<Bid, StoreError> {
        let row = self
            .query_opt(include_str!("leader/lock.sql"), &[&duty])
            .await?;
        let row = row.as_ref().map(leader).transpose()?;
        let answer = bid(row.as_ref(), replica, self.now());
        // Half of its time is left: it need not say again that it leads.
        if let (Bid::Keep(_), Some(row)) = (answer, row)
            && row.until.ms_since(self.now()) > LEADER_MS / 2
        {
            return Ok(Bid::Keep(row));
        }
        if let Bid::Keep(leader) | Bid::Take(leader) = answer {
            let put = self
                .execute(
                    include_str!("leader/put.sql"),
                    &[
                        &self.tenant().0,
                        &duty,
                        &leader.epoch.cast_signed(),
                        &leader.holder,
                        &Ts(leader.until),
                    ],
                )
                .await?;
            expect_one(put, "the leader")?;
        }
        Ok(answer)
    }

    /// Who leads a duty, or led last.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn leader_get(&self, duty: &str) -> Result<Option<Leader>, StoreError> {
        let row = self
            .query_opt(include_str!("leader/get.sql"), &[&duty])
            .await?;
        row.as_ref().map(leader).transpose()
    }
}

fn leader(row: &Row) -> Result<Leader, StoreError> {
    let Ts(until) = row.get("until");
    Ok(Leader {
        epoch: u64::try_from(row.get::<_, i64>("epoch")).map_err(|_| StoreError::Corrupt {
            place: "leader.epoch",
        })?,
        holder: row.get("holder"),
        until,
    })
}
