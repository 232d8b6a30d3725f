//! Where a job stands, and what stands before it.

use jobengine_domain::id::JobId;
use jobengine_domain::lease::Fence;
use jobengine_domain::state::JobState;
use jobengine_domain::time::Timestamp;
use tokio_postgres::Row;

use crate::caller::Tx;
use crate::error::StoreError;
use crate::job::class;
use crate::ticket::unsigned;
use crate::ts::Ts;

/// Jobs and workers are counted up to here.
const COUNT_MAX: i64 = 10_000;
/// Parents that are named.
const PARENTS_MAX: i64 = 100;

/// Where a job stands.
#[derive(Debug, Clone)]
pub struct JobStanding {
    /// Its state, with everything that is true in it.
    pub state: JobState,
    /// What its submitter asked for.
    pub not_before: Option<Timestamp>,
    /// The parents for which it waits, up to 100, by name.
    pub parents: Vec<(JobId, String)>,
    /// How many parents it waits for in all.
    pub parents_left: u32,
    /// Whether its source is paused.
    pub paused: bool,
    /// Of a ready job: how many of its type go first, and how many workers there are, of whatever type;
    /// both counted up to 10,000.
    pub ahead: Option<(u64, u64)>,
}

impl Tx {
    /// Reads where a job stands; `None` when this tenant has none of that id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn job_standing(&self, job: JobId) -> Result<Option<JobStanding>, StoreError> {
        let row = self
            .query_opt(include_str!("standing/find.sql"), &[&job.0])
            .await?;
        let Some(row) = row else { return Ok(None) };
        let state = job_state(&row, self.now())?;
        let mut standing = JobStanding {
            state,
            not_before: row.get::<_, Option<Ts>>("not_before").map(|Ts(at)| at),
            parents: Vec::new(),
            parents_left: 0,
            paused: row.get("paused"),
            ahead: None,
        };
        if state == JobState::Blocked {
            let left: Option<i32> = row.get("parents_left");
            standing.parents_left = unsigned(left.unwrap_or(0), "waiting.parents_left")?;
            let rows = self
                .query(
                    include_str!("standing/parents.sql"),
                    &[&job.0, &PARENTS_MAX],
                )
                .await?;
            let parent = |row: &Row| (JobId(row.get("job_id")), row.get("job_key"));
            standing.parents = rows.iter().map(parent).collect();
        }
        let sort_key: Option<i64> = row.get("sort_key");
        if let Some(sort_key) = sort_key {
            let job_type: &str = row.get("job_type");
            let row = self
                .query_one(
                    include_str!("standing/ahead.sql"),
                    &[&job_type, &sort_key, &COUNT_MAX, &Ts(self.now())],
                )
                .await?;
            let count = |column| row.get::<_, i64>(column).unsigned_abs();
            standing.ahead = Some((count("ahead"), count("workers")));
        }
        Ok(Some(standing))
    }
}

/// The state that a row of the narrow tables tells. Who stands in none of them is ready.
pub(crate) fn job_state(row: &Row, now: Timestamp) -> Result<JobState, StoreError> {
    let number = |column: &str| -> Result<u32, StoreError> {
        let value: Option<i32> = row.get(column);
        unsigned(value.unwrap_or(0), "job.attempts")
    };
    if let Some(ended) = row.get::<_, Option<&str>>("ended") {
        return ended_state(ended, row.get("class"));
    }
    if row.get::<_, Option<i32>>("leased").is_some() {
        return Ok(JobState::Leased {
            attempt: number("leased")?,
            fence: Fence(row.get("fence")),
            crashes: number("lease_crashes")?,
        });
    }
    if row.get::<_, Option<i32>>("parents_left").is_some() {
        return Ok(JobState::Blocked);
    }
    let ready_at = row.get::<_, Option<Ts>>("ready_at").map(|Ts(at)| at);
    Ok(JobState::Queued {
        ready_at: ready_at.unwrap_or(now),
        attempts: number("attempts")?,
        crashes: number("crashes")?,
    })
}

/// The state of a job that has ended, by its spelling.
pub(crate) fn ended_state(state: &str, of: Option<&str>) -> Result<JobState, StoreError> {
    let corrupt = || StoreError::Corrupt {
        place: "outcome.state",
    };
    match state {
        "succeeded" => Ok(JobState::Succeeded),
        "failed" => Ok(JobState::Failed {
            class: class(of, "outcome.class")?.ok_or_else(corrupt)?,
        }),
        "canceled" => Ok(JobState::Canceled),
        "timed_out" => Ok(JobState::TimedOut),
        "skipped" => Ok(JobState::Skipped),
        _ => Err(corrupt()),
    }
}
