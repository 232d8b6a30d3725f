//! Dead letters: jobs out of attempts, awaiting a person.

use jobengine_domain::class::FailureClass;
use jobengine_domain::id::JobId;
use jobengine_domain::time::Timestamp;
use uuid::Uuid;

use crate::caller::Tx;
use crate::error::StoreError;
use crate::job::class;
use crate::ts::Ts;

/// A dead letter.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// The job that failed.
    pub job: JobId,
    /// Its type.
    pub job_type: String,
    /// What the last attempt died of.
    pub class: FailureClass,
    /// What the worker said about it.
    pub detail: String,
    /// `open`, `replayed` or `discarded`.
    pub decision: String,
    /// When the job failed.
    pub opened_at: Timestamp,
}

impl Tx {
    /// Reads a page of dead letters after the one of job `after`, oldest job first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn dead_letter_list(
        &self,
        after: Option<JobId>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let after = after.map_or(Uuid::nil(), |job| job.0);
        let rows = self
            .query(
                include_str!("dead_letter/list.sql"),
                &[&after, &i64::from(limit)],
            )
            .await?;
        let letter = |row: &tokio_postgres::Row| {
            let class = class(Some(row.get("class")), "dead_letter.class")?;
            Ok(DeadLetter {
                job: JobId(row.get("job_id")),
                job_type: row.get("job_type"),
                class: class.expect("the column is not null"),
                detail: row.get("detail"),
                decision: row.get("decision"),
                opened_at: row.get::<_, Ts>("opened_at").0,
            })
        };
        rows.iter().map(letter).collect()
    }
}
