//! The lines that workers write down while they work: the tenant's own data, never mixed into ours.

use jobengine_domain::defaults::LOG_LINE_MAX_BYTES;
use jobengine_domain::id::JobId;
use jobengine_domain::time::Timestamp;
use uuid::Uuid;

use crate::caller::Tx;
use crate::connect::Store;
use crate::draw::draw_many;
use crate::error::StoreError;
use crate::progress::HeldLease;
use crate::ticket::{signed, unsigned};
use crate::ts::Ts;

/// A line on its way in.
#[derive(Debug, Clone)]
pub struct NewLogLine {
    /// The lease under which it was written.
    pub lease: HeldLease,
    /// `debug`, `info`, `warn` or `error`.
    pub level: &'static str,
    /// At most 8 KiB, without control characters.
    pub line: String,
    /// Whether it was longer.
    pub cut: bool,
}

/// A line as it was stored.
#[derive(Debug, Clone)]
pub struct LogLine {
    /// Its place: lines of a job are read in this order.
    pub id: Uuid,
    /// Which attempt wrote it.
    pub attempt: u32,
    /// When it arrived.
    pub at: Timestamp,
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// The line.
    pub line: String,
    /// Whether it was longer.
    pub cut: bool,
}

impl Tx {
    /// Stores lines in their order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn log_write(&self, lines: &[NewLogLine]) -> Result<(), StoreError> {
        if lines.is_empty() {
            return Ok(());
        }
        debug_assert!(
            lines
                .iter()
                .all(|line| line.line.len() <= LOG_LINE_MAX_BYTES)
        );
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 8] = [
            &self.tenant().0,
            &Ts(self.now()),
            &lines
                .iter()
                .map(|line| line.lease.job.0)
                .collect::<Vec<_>>(),
            &draw_many::<Uuid>(self.now(), lines.len()),
            &lines
                .iter()
                .map(|line| signed(line.lease.attempt))
                .collect::<Vec<_>>(),
            &lines.iter().map(|line| line.level).collect::<Vec<_>>(),
            &lines
                .iter()
                .map(|line| line.line.as_str())
                .collect::<Vec<_>>(),
            &lines.iter().map(|line| line.cut).collect::<Vec<_>>(),
        ];
        self.execute(include_str!("log/write.sql"), &params).await?;
        Ok(())
    }

    /// Reads a page of a job's lines, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn log_page(
        &self,
        job: JobId,
        attempt: Option<u32>,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<LogLine>, StoreError> {
        // A line is never older than its job: weeks before it need not be looked into.
        let after = after.unwrap_or(job.0);
        let rows = self
            .query(
                include_str!("log/page.sql"),
                &[&job.0, &after, &attempt.map(signed), &i64::from(limit)],
            )
            .await?;
        rows.iter()
            .map(|row| {
                Ok(LogLine {
                    id: row.get("log_id"),
                    attempt: unsigned(row.get("attempt"), "job_log.attempt")?,
                    at: row.get::<_, Ts>("logged_at").0,
                    level: row.get("level"),
                    line: row.get("line"),
                    cut: row.get("cut"),
                })
            })
            .collect()
    }
}

impl Store {
    /// Drops the lines of whole weeks that lie before a moment, which is at least seven days ago; returns
    /// how many partitions went.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn job_logs_trim(&self, before: Timestamp) -> Result<usize, StoreError> {
        let row = self
            .sched()
            .await?
            .query_one(include_str!("log/trim.sql"), &[&Ts(before)])
            .await?;
        let dropped: i32 = row.get("dropped");
        Ok(dropped.unsigned_abs() as usize)
    }
}
