//! The first sign of life of a run: its first job was leased, or has ended without.

use jobengine_domain::id::{JobId, RunId};
use jobengine_domain::time::Timestamp;
use uuid::Uuid;

use crate::caller::Tx;
use crate::error::StoreError;
use crate::ts::Ts;

/// The first thing that happened to a job of a run. It never changes once it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstSignal {
    /// The job.
    pub job: JobId,
    /// Its type.
    pub job_type: String,
    /// When.
    pub at: Timestamp,
    /// `leased`, or how it ended.
    pub state: String,
}

impl Tx {
    /// The first signal of a run that started at `started_at`; `None` while there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn run_first_signal(
        &self,
        run: RunId,
        started_at: Option<Timestamp>,
    ) -> Result<Option<FirstSignal>, StoreError> {
        let Some(at) = started_at else {
            let row = self
                .query_opt(include_str!("run/first_end.sql"), &[&run.0])
                .await?;
            return Ok(row.map(|row| FirstSignal {
                job: JobId(row.get::<_, Uuid>("job_id")),
                job_type: row.get("job_type"),
                at: row.get::<_, Ts>("ended_at").0,
                state: row.get("state"),
            }));
        };
        let row = self
            .query_opt(include_str!("run/first_grant.sql"), &[&run.0, &Ts(at)])
            .await?;
        Ok(row.map(|row| FirstSignal {
            job: JobId(row.get::<_, Uuid>("job_id")),
            job_type: row.get("job_type"),
            at,
            state: "leased".to_owned(),
        }))
    }
}
