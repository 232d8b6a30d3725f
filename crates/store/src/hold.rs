//! Holds: jobs that might start now but for their source, which is paused.
//!
//! A pause takes effect with its commit: the claim refuses the jobs of a paused source (`lease/claim.sql`), and the
//! gate before it makes sure that no claim is under way that has not seen the pause. Because the claim would walk
//! over such jobs again and again, they are moved out of its way afterwards, some at a time; and back when the
//! source goes on.

use jobengine_domain::caller::Caller;
use jobengine_domain::id::{JobId, SourceId, TenantId};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::caller::Tx;
use crate::connect::Store;
use crate::error::StoreError;
use crate::ready::ReadyJobs;

/// How far a sweep over the ready jobs of a tenant has come: type, sort key, id of the last one looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepPlace {
    job_type: String,
    sort_key: i64,
    job: JobId,
}

/// What one pass over a tenant's holds did.
#[derive(Debug, Default)]
pub struct Held {
    /// Jobs that are held now.
    pub held: usize,
    /// Jobs that are ready again.
    pub released: Vec<ReadyJobs>,
    /// Where the sweep goes on; `None` when it has come to the end, or no source is paused.
    pub next: Option<SweepPlace>,
    /// Whether a source that goes on may hold more.
    pub more: bool,
}

impl Tx {
    /// Closes the gate before the grants of a tenant until this transaction ends: claims under way
    /// have ended when this returns, and later ones see what this transaction wrote.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a claim does not end in time.
    pub(crate) async fn gate_close(&self, tenant: TenantId) -> Result<(), StoreError> {
        let tenant = tenant.to_string();
        self.query_one(include_str!("lease/gate_close.sql"), &[&tenant])
            .await?;
        Ok(())
    }

    async fn holds_pass(
        &self,
        from: Option<&SweepPlace>,
        scan: u32,
        release: u32,
    ) -> Result<Held, StoreError> {
        let sources = self.query(include_str!("hold/sources.sql"), &[]).await?;
        let (scan, release) = (i64::from(scan), i64::from(release));
        let mut pass = Held::default();
        let mut paused: Vec<&str> = Vec::new();
        for source in &sources {
            let (id, name): (Uuid, &str) = (source.get("source_id"), source.get("name"));
            if source.get("paused") {
                paused.push(name);
                continue;
            }
            let rows = self
                .query(include_str!("hold/release.sql"), &[&name, &release])
                .await?;
            for row in &rows {
                self.note_ready(row.get("job_type"), row.get("sort_key"));
            }
            pass.more |= !rows.is_empty();
            if rows.is_empty() {
                self.hold_end(SourceId(id)).await?;
            }
        }
        if scan > 0 && !paused.is_empty() {
            let start = ("", i64::MIN, Uuid::nil());
            let (job_type, sort_key, job) = from.map_or(start, |place| {
                (place.job_type.as_str(), place.sort_key, place.job.0)
            });
            let params: [&(dyn ToSql + Sync); 5] = [&job_type, &sort_key, &job, &scan, &paused];
            if let Some(row) = self
                .query_opt(include_str!("hold/sweep.sql"), &params)
                .await?
            {
                pass.held = usize::try_from(row.get::<_, i64>("held")).unwrap_or(usize::MAX);
                let full = row.get::<_, i64>("scanned") >= scan;
                pass.next = full.then(|| SweepPlace {
                    job_type: row.get("job_type"),
                    sort_key: row.get("sort_key"),
                    job: JobId(row.get("job_id")),
                });
            }
        }
        pass.released = self.ready();
        Ok(pass)
    }

    async fn hold_end(&self, source: SourceId) -> Result<(), StoreError> {
        self.execute(include_str!("hold/end.sql"), &[&source.0])
            .await?;
        Ok(())
    }
}

impl Store {
    /// Tenants with a source that holds jobs.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tenants_holding(&self) -> Result<Vec<TenantId>, StoreError> {
        let rows = self
            .sched()
            .await?
            .query(include_str!("hold/tenants.sql"), &[])
            .await?;
        Ok(rows
            .iter()
            .map(|row| TenantId(row.get("tenant_id")))
            .collect())
    }

    /// One pass over a tenant's holds: looks at up to `scan` ready jobs after `from` for such as are to be
    /// held, and releases up to `release` of each source that goes on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn holds(
        &self,
        tenant: TenantId,
        from: Option<&SweepPlace>,
        scan: u32,
        release: u32,
    ) -> Result<Held, StoreError> {
        let caller = Caller::system(tenant);
        self.retrying(async || {
            let tx = self.begin(&caller).await?;
            let pass = tx.holds_pass(from, scan, release).await?;
            tx.commit().await?;
            Ok(pass)
        })
        .await
    }
}
