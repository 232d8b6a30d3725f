//! Dead letters: jobs out of attempts, awaiting a person.

use jobengine_domain::class::FailureClass;
use jobengine_domain::id::{JobId, RunId};
use jobengine_domain::time::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::caller::Tx;
use crate::error::{StoreError, expect_one};
use crate::job::class;
use crate::ts::{Ts, ts};

/// A dead letter.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// The job that failed.
    pub job: JobId,
    /// Its run, if any.
    pub run: Option<RunId>,
    /// Its type.
    pub job_type: String,
    /// The name of the upstream it worked for.
    pub source: Option<String>,
    /// Follows the job through logs and events.
    pub correlation_id: String,
    /// What the last attempt died of.
    pub class: FailureClass,
    /// What the worker said about it.
    pub detail: String,
    /// The detail with its variables masked.
    pub signature: String,
    /// When the job failed.
    pub opened_at: Timestamp,
    /// Who looks after it.
    pub owner: Option<String>,
    /// `open`, `replayed` or `discarded`.
    pub decision: String,
    /// When it was decided, and by whom.
    pub decided: Option<(Timestamp, String)>,
    /// Why it was decided so.
    pub reason: Option<String>,
    /// The job that repeats it.
    pub replay: Option<JobId>,
    /// What the replay's payload has otherwise, as JSON.
    pub payload_diff: Option<String>,
}

/// Which dead letters a list shows. `None`: any.
#[derive(Debug, Clone, Default)]
pub struct DeadLetterFilter {
    /// Decided so.
    pub decision: Option<String>,
    /// Of this class.
    pub class: Option<FailureClass>,
    /// Of jobs of this type.
    pub job_type: Option<String>,
    /// With this signature.
    pub signature: Option<String>,
    /// Looked after by this person.
    pub owner: Option<String>,
    /// Of jobs for this source.
    pub source: Option<String>,
    /// Of jobs of this run.
    pub run: Option<RunId>,
    /// Opened at this moment or later.
    pub from: Option<Timestamp>,
    /// Opened before this moment.
    pub to: Option<Timestamp>,
}

/// Open dead letters of one cause.
#[derive(Debug, Clone)]
pub struct DeadLetterCluster {
    /// What their jobs died of.
    pub class: FailureClass,
    /// The type of their jobs.
    pub job_type: String,
    /// What their details have in common.
    pub signature: String,
    /// How many they are.
    pub letters: u64,
    /// How many of them somebody looks after.
    pub assigned: u64,
    /// When the first of them was opened.
    pub oldest: Timestamp,
    /// When the last of them was opened.
    pub newest: Timestamp,
    /// The youngest job among them.
    pub sample: JobId,
}

impl Tx {
    /// Reads a page of dead letters after the one of job `after`, oldest job first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn dead_letter_list(
        &self,
        filter: &DeadLetterFilter,
        after: Option<JobId>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.dead_letters(filter, after, limit, None).await
    }

    /// Reads the dead letter of a job; `None` when it has none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn dead_letter_find(&self, job: JobId) -> Result<Option<DeadLetter>, StoreError> {
        let any = DeadLetterFilter::default();
        Ok(self.dead_letters(&any, None, 1, Some(job)).await?.pop())
    }

    async fn dead_letters(
        &self,
        filter: &DeadLetterFilter,
        after: Option<JobId>,
        limit: u32,
        only: Option<JobId>,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let params: [&(dyn ToSql + Sync); 12] = [
            &after.map_or(Uuid::nil(), |job| job.0),
            &i64::from(limit),
            &filter.decision,
            &filter.class.map(FailureClass::as_str),
            &filter.job_type,
            &filter.signature,
            &filter.owner,
            &filter.source,
            &filter.run.map(|run| run.0),
            &ts(filter.from),
            &ts(filter.to),
            &only.map(|job| job.0),
        ];
        let rows = self
            .query(include_str!("dead_letter/list.sql"), &params)
            .await?;
        rows.iter().map(dead_letter).collect()
    }

    /// The open dead letters by what they have in common, the largest clusters first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn dead_letter_stats(
        &self,
        job_type: Option<&str>,
        source: Option<&str>,
        limit: u32,
    ) -> Result<Vec<DeadLetterCluster>, StoreError> {
        let params: [&(dyn ToSql + Sync); 3] = [&i64::from(limit), &job_type, &source];
        let rows = self
            .query(include_str!("dead_letter/stats.sql"), &params)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(DeadLetterCluster {
                    class: class(Some(row.get("class")), "dead_letter.class")?
                        .expect("the column is not null"),
                    job_type: row.get("job_type"),
                    signature: row.get("signature"),
                    letters: row.get::<_, i64>("letters").unsigned_abs(),
                    assigned: row.get::<_, i64>("assigned").unsigned_abs(),
                    oldest: row.get::<_, Ts>("oldest").0,
                    newest: row.get::<_, Ts>("newest").0,
                    sample: JobId(row.get("sample")),
                })
            })
            .collect()
    }

    /// Those of some jobs whose dead letters are open, in the order of their ids. They stay so until this
    /// transaction ends, unless it decides them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn dead_letters_lock(&self, jobs: &[JobId]) -> Result<Vec<JobId>, StoreError> {
        let jobs: Vec<Uuid> = jobs.iter().map(|job| job.0).collect();
        let rows = self
            .query(include_str!("dead_letter/lock.sql"), &[&jobs])
            .await?;
        Ok(rows.iter().map(|row| JobId(row.get("job_id"))).collect())
    }

    /// Discards those of some dead letters that are open; returns how many were.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn dead_letters_discard(
        &self,
        jobs: &[JobId],
        by: &str,
        reason: Option<&str>,
    ) -> Result<u64, StoreError> {
        let jobs: Vec<Uuid> = jobs.iter().map(|job| job.0).collect();
        let params: [&(dyn ToSql + Sync); 4] = [&jobs, &Ts(self.now()), &by, &reason];
        self.execute(include_str!("dead_letter/discard.sql"), &params)
            .await
    }

    /// Says who looks after an open dead letter.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it is not open.
    pub async fn dead_letter_assign(
        &self,
        job: JobId,
        owner: Option<&str>,
    ) -> Result<(), StoreError> {
        let changed = self
            .execute(include_str!("dead_letter/assign.sql"), &[&job.0, &owner])
            .await?;
        expect_one(changed, "the dead letter")
    }
}

fn dead_letter(row: &Row) -> Result<DeadLetter, StoreError> {
    let class = class(Some(row.get("class")), "dead_letter.class")?;
    let decided_at: Option<Ts> = row.get("decided_at");
    Ok(DeadLetter {
        job: JobId(row.get("job_id")),
        run: row.get::<_, Option<Uuid>>("run_id").map(RunId),
        job_type: row.get("job_type"),
        source: row.get("source"),
        correlation_id: row.get("correlation_id"),
        class: class.expect("the column is not null"),
        detail: row.get("detail"),
        signature: row.get("signature"),
        opened_at: row.get::<_, Ts>("opened_at").0,
        owner: row.get("owner"),
        decision: row.get("decision"),
        decided: Option::zip(decided_at.map(|Ts(at)| at), row.get("decided_by")),
        reason: row.get("reason"),
        replay: row.get::<_, Option<Uuid>>("replay_id").map(JobId),
        payload_diff: row.get("payload_diff"),
    })
}
