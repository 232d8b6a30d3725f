//! Runs: jobs started together, and what became of them.

use std::collections::BTreeSet;

use jobengine_domain::event::EventType;
use jobengine_domain::id::{JobId, ProjectId, RunId};
use jobengine_domain::run::{JobCounts, RunState};
use jobengine_domain::time::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::caller::Tx;
use crate::draw::draw;
use crate::error::{StoreError, expect_one};
use crate::job::NewJob;
use crate::search::id_floor;
use crate::ts::Ts;

/// A run as it is created.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// What caused it: one of the contract's triggers.
    pub trigger: String,
    /// The project it belongs to.
    pub project: Option<ProjectId>,
    /// The name of the upstream it works for.
    pub source: Option<String>,
    /// Follows the run through logs and events.
    pub correlation_id: String,
    /// Where its trace began (W3C Trace Context).
    pub traceparent: Option<String>,
}

/// A run as it stands in the ledger.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// Its id.
    pub id: RunId,
    /// What caused it.
    pub trigger: String,
    /// Its state.
    pub state: String,
    /// The project it belongs to.
    pub project: Option<ProjectId>,
    /// The name of the upstream it works for.
    pub source: Option<String>,
    /// Follows the run through logs and events.
    pub correlation_id: String,
    /// How many of its jobs are in which state.
    pub counts: JobCounts,
    /// Attempts that have ended.
    pub attempts: u64,
    /// Attempts that ended because no heartbeat came.
    pub leases_expired: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its first job was claimed.
    pub started_at: Option<Timestamp>,
    /// When its last job ended.
    pub finished_at: Option<Timestamp>,
}

/// What the ends of some jobs add to their run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RunGain {
    /// When the last of them ended.
    pub at: Timestamp,
    pub succeeded: i64,
    pub failed: i64,
    pub canceled: i64,
    pub skipped: i64,
    pub attempts: i64,
    pub expired: i64,
}

impl Default for RunGain {
    fn default() -> Self {
        Self {
            at: Timestamp::from_micros(0),
            succeeded: 0,
            failed: 0,
            canceled: 0,
            skipped: 0,
            attempts: 0,
            expired: 0,
        }
    }
}

/// Runs looked at in one search.
const SCAN_MAX: i64 = 5_000;

/// Which runs a search is for: those that pass every filter that is set.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// In one of these states, by their wire spelling; empty: any.
    pub states: BTreeSet<String>,
    /// With this trigger.
    pub trigger: Option<String>,
    /// Of this project.
    pub project: Option<ProjectId>,
    /// For this source.
    pub source: Option<String>,
    /// Created at this moment or later, to the millisecond.
    pub from: Option<Timestamp>,
    /// Created before this moment, to the millisecond.
    pub to: Option<Timestamp>,
}

impl Tx {
    /// Creates a run with its jobs; `jobs` stand in topological order.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the tenant does not exist.
    pub async fn run_create(
        &self,
        run: &NewRun,
        jobs: &[NewJob],
    ) -> Result<(RunId, Vec<JobId>), StoreError> {
        let id: RunId = draw(self.now());
        // Right before its jobs are submitted: events of one moment have no order.
        let at = Timestamp::from_micros(self.now().as_micros().saturating_sub(1));
        let project = run.project.map(|project| project.0);
        let total = i64::try_from(jobs.len()).expect("a run has at most 10,000 jobs");
        self.execute(
            include_str!("run/insert.sql"),
            &[
                &self.tenant().0,
                &id.0,
                &run.trigger,
                &project,
                &run.correlation_id,
                &total,
                &Ts(at),
                &run.source,
                &run.traceparent,
            ],
        )
        .await?;
        self.event_write_at(EventType::RunCreated, Some(id), Some(&run.trigger), at)
            .await?;
        let ids = self.jobs_submit(Some(id), jobs).await?;
        if jobs.is_empty() {
            let at = self.now().after(self.now());
            self.run_end(id, RunState::Succeeded, at).await?;
        }
        Ok((id, ids))
    }

    /// Reads one run; `None` when this tenant has none of that id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn run_find(&self, id: RunId) -> Result<Option<RunRecord>, StoreError> {
        let row = self
            .query_opt(include_str!("run/get.sql"), &[&id.0])
            .await?;
        row.as_ref().map(run_record).transpose()
    }

    /// Searches runs before `before`, newest first. Looks at a bounded number of them: there may be more
    /// behind the run that is answered, also when the page is short or empty.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn run_search(
        &self,
        filter: &RunFilter,
        before: Option<RunId>,
        limit: u32,
    ) -> Result<(Vec<RunRecord>, Option<RunId>), StoreError> {
        let low = filter.from.map_or(0, |at| id_floor(at).saturating_sub(1));
        let high = filter.to.map_or(u128::MAX, id_floor);
        let high = before.map_or(high, |run| high.min(run.0.as_u128()));
        let (low, high) = (Uuid::from_u128(low), Uuid::from_u128(high));
        let states: Vec<&str> = filter.states.iter().map(String::as_str).collect();
        let states = Some(states).filter(|states| !states.is_empty());
        let project = filter.project.map(|project| project.0);
        let limit_sql = i64::from(limit);
        let filters: [&(dyn ToSql + Sync); 8] = [
            &high,
            &SCAN_MAX,
            &states,
            &filter.trigger,
            &project,
            &filter.source,
            &low,
            &limit_sql,
        ];
        let bounds: [&(dyn ToSql + Sync); 3] = [&high, &SCAN_MAX, &low];
        let (rows, last) = tokio::join!(
            biased;
            self.query(include_str!("run/list.sql"), &filters),
            self.query_opt(include_str!("run/looked_at.sql"), &bounds)
        );
        let (rows, last) = (rows?, last?);
        let runs: Vec<RunRecord> = rows.iter().map(run_record).collect::<Result<_, _>>()?;
        let resume = if runs.len() >= limit as usize {
            runs.last().map(|run| run.id)
        } else {
            last.map(|row| RunId(row.get("run_id")))
        };
        Ok((runs, resume))
    }

    /// Adds the ends of jobs to their runs and ends the runs whose last job has ended. The runs are
    /// locked already.
    pub(crate) async fn run_count(
        &self,
        gains: &std::collections::BTreeMap<RunId, RunGain>,
    ) -> Result<(), StoreError> {
        if gains.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = gains.keys().map(|run| run.0).collect();
        let column = |of: fn(&RunGain) -> i64| gains.values().map(of).collect::<Vec<i64>>();
        let rows = self
            .query(
                include_str!("run/count.sql"),
                &[
                    &ids,
                    &column(|gain| gain.succeeded),
                    &column(|gain| gain.failed),
                    &column(|gain| gain.canceled),
                    &column(|gain| gain.skipped),
                    &column(|gain| gain.attempts),
                    &column(|gain| gain.expired),
                    &gains.values().map(|gain| Ts(gain.at)).collect::<Vec<_>>(),
                ],
            )
            .await?;
        if rows.len() < gains.len() {
            return Err(StoreError::Stale("a run"));
        }
        for row in &rows {
            let state = RunState::of(&counts(row)?);
            if state.is_terminal() {
                let Ts(since) = row.get("since");
                let at = self.now().after(since);
                self.run_end(RunId(row.get("run_id")), state, at).await?;
            }
        }
        Ok(())
    }

    async fn run_end(&self, id: RunId, state: RunState, at: Timestamp) -> Result<(), StoreError> {
        let ended = self
            .execute(
                include_str!("run/finish.sql"),
                &[&id.0, &state.as_str(), &Ts(at)],
            )
            .await?;
        expect_one(ended, "the run")?;
        self.event_write_at(EventType::RunFinished, Some(id), Some(state.as_str()), at)
            .await
    }
}

fn counts(row: &Row) -> Result<JobCounts, StoreError> {
    let count = |column| {
        u64::try_from(row.get::<_, i64>(column))
            .map_err(|_| StoreError::Corrupt { place: "run.jobs" })
    };
    let mut counts = JobCounts {
        total: count("jobs_total")?,
        started: 0,
        succeeded: count("jobs_succeeded")?,
        failed: count("jobs_failed")?,
        canceled: count("jobs_canceled")?,
        skipped: count("jobs_skipped")?,
    };
    counts.started = if row.get("started") {
        counts.ended().max(1)
    } else {
        0
    };
    Ok(counts)
}

fn run_record(row: &Row) -> Result<RunRecord, StoreError> {
    let count = |column| {
        u64::try_from(row.get::<_, i64>(column)).map_err(|_| StoreError::Corrupt {
            place: "run.attempts",
        })
    };
    Ok(RunRecord {
        id: RunId(row.get("run_id")),
        trigger: row.get("trigger"),
        state: row.get("state"),
        project: row.get::<_, Option<Uuid>>("project_id").map(ProjectId),
        source: row.get("source"),
        correlation_id: row.get("correlation_id"),
        counts: counts(row)?,
        attempts: count("attempts")?,
        leases_expired: count("leases_expired")?,
        created_at: row.get::<_, Ts>("created_at").0,
        started_at: row.get::<_, Option<Ts>>("started_at").map(|Ts(at)| at),
        finished_at: row.get::<_, Option<Ts>>("finished_at").map(|Ts(at)| at),
    })
}
