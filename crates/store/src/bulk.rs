//! Bulk actions: one action on many things, confirmed for just these, done in slices by whoever comes next.

use jobengine_domain::digest::Digest;
use jobengine_domain::id::{BulkId, JobId, TenantId};
use jobengine_domain::priority::Priority;
use jobengine_domain::time::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::act::Act;
use crate::caller::Tx;
use crate::connect::Store;
use crate::draw::draw;
use crate::error::{StoreError, expect_one};
use crate::job::digest;
use crate::ts::Ts;

/// Things done in one transaction: one short lock.
pub const BULK_SLICE: usize = 200;

/// A bulk action to be done.
#[derive(Debug, Clone)]
pub struct NewBulk {
    /// `cancel`, `retry`, `replay`, `prioritize` or `discard`.
    pub action: String,
    /// `jobs` or `deadLetters`.
    pub target: String,
    /// What was asked for, as JSON.
    pub filter: String,
    /// The new band, of `prioritize`.
    pub priority: Option<Priority>,
    /// What was confirmed.
    pub plan: Digest,
    /// The jobs, or those of the dead letters.
    pub items: Vec<Uuid>,
}

/// A bulk action.
#[derive(Debug, Clone)]
pub struct BulkRecord {
    /// Its id.
    pub id: BulkId,
    /// `cancel`, `retry`, `replay`, `prioritize` or `discard`.
    pub action: String,
    /// `jobs` or `deadLetters`.
    pub target: String,
    /// What was asked for, as JSON.
    pub filter: String,
    /// The new band, of `prioritize`.
    pub priority: Option<Priority>,
    /// What was confirmed.
    pub plan: Digest,
    /// `running`, `succeeded` or `canceled`.
    pub state: String,
    /// Things in all.
    pub total: u64,
    /// Things it was done to.
    pub done: u64,
    /// Things that were no longer as the action needs them.
    pub failed: u64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Who asked for it, and why. Without a key: a slice is nobody's request.
    pub act: Act,
}

impl Tx {
    /// Writes down a bulk action with everything it is to be done to.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bulk_create(&self, bulk: &NewBulk, act: &Act) -> Result<BulkId, StoreError> {
        let id: BulkId = draw(self.now());
        let total = i64::try_from(bulk.items.len()).unwrap_or(i64::MAX);
        let params: [&(dyn ToSql + Sync); 18] = [
            &self.tenant().0,
            &id.0,
            &bulk.action,
            &bulk.target,
            &bulk.filter,
            &bulk.priority.map(Priority::as_str),
            &bulk.plan.as_bytes().as_slice(),
            &total,
            &Ts(self.now()),
            &act.subject,
            &act.credential,
            &act.scope,
            &act.reason,
            &act.ticket,
            &act.request_id,
            &act.correlation_id,
            &act.source.map(|address| address.to_string()),
            &self.project().map(|project| project.0),
        ];
        self.execute(include_str!("bulk/insert.sql"), &params)
            .await?;
        for (ordinal, items) in (0_i32..).zip(bulk.items.chunks(BULK_SLICE)) {
            let params: [&(dyn ToSql + Sync); 4] = [&self.tenant().0, &id.0, &ordinal, &items];
            self.execute(include_str!("bulk/slices.sql"), &params)
                .await?;
        }
        Ok(id)
    }

    /// Reads a page of bulk actions, the youngest first, behind one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bulk_list(
        &self,
        behind: Option<BulkId>,
        limit: u32,
    ) -> Result<Vec<BulkRecord>, StoreError> {
        self.bulks(behind, limit, None).await
    }

    /// Reads one bulk action; `None` when this tenant has none of that id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bulk_find(&self, id: BulkId) -> Result<Option<BulkRecord>, StoreError> {
        Ok(self.bulks(None, 1, Some(id)).await?.pop())
    }

    async fn bulks(
        &self,
        behind: Option<BulkId>,
        limit: u32,
        only: Option<BulkId>,
    ) -> Result<Vec<BulkRecord>, StoreError> {
        let params: [&(dyn ToSql + Sync); 3] = [
            &behind.map(|bulk| bulk.0),
            &i64::from(limit),
            &only.map(|bulk| bulk.0),
        ];
        let rows = self.query(include_str!("bulk/list.sql"), &params).await?;
        rows.iter().map(bulk_record).collect()
    }

    /// Stops a bulk action; what was done stays done. Tells whether it was running.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bulk_cancel(&self, id: BulkId) -> Result<bool, StoreError> {
        // First the action, which the slice under way has locked.
        let stopped = self
            .execute(include_str!("bulk/cancel.sql"), &[&id.0, &Ts(self.now())])
            .await?;
        if stopped == 1 {
            self.execute(include_str!("bulk/drop.sql"), &[&id.0])
                .await?;
        }
        Ok(stopped == 1)
    }

    /// Takes the next slice of the oldest bulk action that runs: the action, the slice's ordinal and what it
    /// is to be done to. Whoever takes it does it in this transaction, and says so with
    /// [`Tx::bulk_progress`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bulk_next(&self) -> Result<Option<(BulkRecord, i32, Vec<JobId>)>, StoreError> {
        let row = self.query_opt(include_str!("bulk/next.sql"), &[]).await?;
        let Some(bulk) = row.as_ref().map(bulk_record).transpose()? else {
            return Ok(None);
        };
        let slice = self
            .query_opt(include_str!("bulk/take.sql"), &[&bulk.id.0])
            .await?;
        let (ordinal, items) = slice.map_or((0, Vec::new()), |row| {
            let items: Vec<Uuid> = row.get("items");
            (row.get("ordinal"), items)
        });
        let jobs = items.into_iter().map(JobId).collect();
        Ok(Some((bulk, ordinal, jobs)))
    }

    /// Counts what a slice came to, and ends the action when it was the last one.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the action is not running.
    pub async fn bulk_progress(
        &self,
        id: BulkId,
        done: usize,
        failed: usize,
    ) -> Result<(), StoreError> {
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let params: [&(dyn ToSql + Sync); 4] =
            [&id.0, &count(done), &count(failed), &Ts(self.now())];
        let counted = self
            .execute(include_str!("bulk/progress.sql"), &params)
            .await?;
        expect_one(counted, "the bulk action")
    }
}

impl Store {
    /// Tenants with a bulk action that is running.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tenants_with_bulk(&self) -> Result<Vec<TenantId>, StoreError> {
        let rows = self
            .sched()
            .await?
            .query(include_str!("bulk/tenants.sql"), &[])
            .await?;
        Ok(rows
            .iter()
            .map(|row| TenantId(row.get("tenant_id")))
            .collect())
    }
}

fn bulk_record(row: &Row) -> Result<BulkRecord, StoreError> {
    let corrupt = |place| StoreError::Corrupt { place };
    let priority: Option<&str> = row.get("priority");
    let address: Option<&str> = row.get("address");
    let count = |column: &str| row.get::<_, i64>(column).unsigned_abs();
    Ok(BulkRecord {
        id: BulkId(row.get("bulk_id")),
        action: row.get("action"),
        target: row.get("target"),
        filter: row.get("filter"),
        priority: priority
            .map(str::parse)
            .transpose()
            .map_err(|_| corrupt("bulk_action.priority"))?,
        plan: digest(row.get("plan_digest"), "bulk_action.plan_digest")?,
        state: row.get("state"),
        total: count("total"),
        done: count("done"),
        failed: count("failed"),
        created_at: row.get::<_, Ts>("created_at").0,
        finished_at: row.get::<_, Option<Ts>>("finished_at").map(|Ts(at)| at),
        act: Act {
            subject: row.get("subject"),
            credential: row.get("credential"),
            operation: "bulk_action_slice".to_owned(),
            scope: row.get("scope"),
            reason: row.get("reason"),
            ticket: row.get("ticket"),
            request_id: row.get("request_id"),
            correlation_id: row.get("correlation_id"),
            source: address
                .map(str::parse)
                .transpose()
                .map_err(|_| corrupt("bulk_action.address"))?,
            key: None,
        },
    })
}
