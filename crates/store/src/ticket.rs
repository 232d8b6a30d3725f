//! What travels with a job through the narrow tables, so that no hot statement needs the wide row.

use jobengine_domain::id::{JobId, RunId};
use jobengine_domain::retry::AttemptLimits;
use jobengine_domain::state::JobRules;
use jobengine_domain::time::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::StoreError;
use crate::ts::Ts;

/// The narrow facts of a job.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    pub job: JobId,
    pub run: Option<RunId>,
    pub job_type: String,
    pub sort_key: i64,
    pub max_attempts: i32,
    pub max_crashes: i32,
    pub deadline: Option<Timestamp>,
    pub has_children: bool,
    /// When what happened last to the job happened.
    pub since: Timestamp,
}

impl Ticket {
    pub(crate) fn from_row(row: &Row) -> Self {
        Self {
            job: JobId(row.get("job_id")),
            run: row.get::<_, Option<Uuid>>("run_id").map(RunId),
            job_type: row.get("job_type"),
            sort_key: row.get("sort_key"),
            max_attempts: row.get("max_attempts"),
            max_crashes: row.get("max_crashes"),
            deadline: row.get::<_, Option<Ts>>("deadline").map(|Ts(at)| at),
            has_children: row.get("has_children"),
            since: row.get::<_, Ts>("since").0,
        }
    }

    pub(crate) fn rules(&self) -> Result<JobRules, StoreError> {
        let limits = AttemptLimits {
            attempts: unsigned(self.max_attempts, "job.max_attempts")?,
            crashes: unsigned(self.max_crashes, "job.max_crashes")?,
        };
        Ok(JobRules {
            job: self.job,
            limits,
            deadline: self.deadline,
        })
    }
}

/// A count as PostgreSQL keeps it, read back.
pub(crate) fn unsigned(value: i32, place: &'static str) -> Result<u32, StoreError> {
    u32::try_from(value).map_err(|_| StoreError::Corrupt { place })
}

/// A bounded count on its way into PostgreSQL.
pub(crate) fn signed(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
