//! Levels and ages that only the database knows, for whoever watches the service. Cheap: what grows is
//! counted up to a bound.

use std::time::Duration;

use jobengine_domain::id::JobId;
use jobengine_domain::metric::database::HOT;
use jobengine_domain::time::Timestamp;
use uuid::Uuid;

use crate::connect::Store;
use crate::error::StoreError;
use crate::ts::Ts;

/// Rows that are counted one by one. Counting so many takes PostgreSQL a few hundredths of a second.
const COUNTED_MAX: i64 = 100_000;

/// How the ledger and its server stand, all tenants.
#[derive(Debug, Clone)]
pub struct Gauges {
    /// Where jobs stand that have not ended.
    pub jobs: Vec<JobsGauge>,
    /// Messages in the outbox that are not delivered.
    pub outbox: u64,
    /// Since the oldest of them was written; zero when there is none.
    pub outbox_oldest: Duration,
    /// Deliveries to webhooks that wait for an attempt.
    pub deliveries: u64,
    /// Since the oldest of them was made; zero when there is none.
    pub deliveries_oldest: Duration,
    /// How many webhooks are `active`, or paused: by an `operator`, as `failing` or as `gone`.
    pub webhooks: Vec<(String, u64)>,
    /// How many records of sources were `refused` when they came last, and how many count in part (`partial`).
    pub unread: Vec<(&'static str, u64)>,
    /// How many images that impact runs left out wait (`waiting`), and how many a run evaluates now (`paying`).
    pub debts: Vec<(&'static str, u64)>,
    /// Since the one that is owed longest was left out first; zero when there is none.
    pub debts_oldest: Duration,
    /// Workers that were heard of within the time of their lease.
    pub workers: u64,
    /// Jobs that they do at once, of those that say so.
    pub slots: u64,
    /// Age of the oldest snapshot in the server.
    pub oldest_snapshot: Duration,
    /// Dead rows of the tables whose rows come and go.
    pub dead_rows: Vec<(String, u64)>,
}

/// Jobs in one state.
#[derive(Debug, Clone)]
pub struct JobsGauge {
    /// `blocked`, `ready`, `delayed`, `held` or `leased`.
    pub state: String,
    /// How many; an estimate when there are very many.
    pub jobs: u64,
    /// Since the oldest was submitted; zero when there is none.
    pub oldest: Duration,
}

/// Impact runs under way, of one mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImpactLoad {
    /// `analysisOnly` or `contentRefresh`.
    pub mode: String,
    /// Runs that have not completed.
    pub runs: u64,
    /// Their segments that have not ended.
    pub segments: u64,
}

impl Store {
    /// Reads the gauges.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn gauges(&self) -> Result<Gauges, StoreError> {
        let mut sched = self.sched().await?;
        let statement = sched
            .prepare_cached(include_str!("gauge/server.sql"))
            .await?;
        let server = sched.query_one(&statement, &[&COUNTED_MAX]).await?;
        let Ts(now) = server.get("now");
        let statement = sched.prepare_cached(include_str!("gauge/jobs.sql")).await?;
        let jobs = sched.query(&statement, &[&COUNTED_MAX]).await?;
        let statement = sched.prepare_cached(include_str!("gauge/dead.sql")).await?;
        let dead = sched.query(&statement, &[&HOT.as_slice()]).await?;
        let statement = sched
            .prepare_cached(include_str!("gauge/webhooks.sql"))
            .await?;
        let webhooks = sched.query(&statement, &[]).await?;
        let statement = sched
            .prepare_cached(include_str!("gauge/refusals.sql"))
            .await?;
        let unread = sched.query_one(&statement, &[&COUNTED_MAX]).await?;
        let statement = sched
            .prepare_cached(include_str!("gauge/debts.sql"))
            .await?;
        let debts = sched.query_one(&statement, &[&COUNTED_MAX]).await?;
        let oldest = |column: &str| server.get::<_, Option<Ts>>(column).map(|Ts(then)| then);
        let since = |then: Option<Timestamp>| then.map_or(Duration::ZERO, |then| now.since(then));
        Ok(Gauges {
            jobs: jobs
                .iter()
                .map(|row| JobsGauge {
                    state: row.get("state"),
                    jobs: level(row.get("jobs")),
                    oldest: since(
                        row.get::<_, Option<Uuid>>("oldest")
                            .and_then(|job| JobId(job).submitted_at()),
                    ),
                })
                .collect(),
            outbox: level(server.get("outbox")),
            outbox_oldest: since(oldest("outbox_oldest")),
            deliveries: level(server.get("deliveries")),
            deliveries_oldest: since(oldest("deliveries_oldest")),
            webhooks: webhooks
                .iter()
                .map(|row| (row.get("state"), level(row.get("webhooks"))))
                .collect(),
            unread: ["refused", "partial"]
                .map(|effect| (effect, level(unread.get(effect))))
                .to_vec(),
            debts: ["waiting", "paying"]
                .map(|state| (state, level(debts.get(state))))
                .to_vec(),
            debts_oldest: since(debts.get::<_, Option<Ts>>("oldest").map(|Ts(then)| then)),
            workers: level(server.get("workers")),
            slots: level(server.get("slots")),
            oldest_snapshot: Duration::from_millis(level(server.get("snapshot_ms"))),
            dead_rows: dead
                .iter()
                .map(|row| (row.get("name"), level(row.get("dead"))))
                .collect(),
        })
    }

    /// Reads what is under way in the impact scheduler, by mode; modes without a run are left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn impact_load(&self) -> Result<Vec<ImpactLoad>, StoreError> {
        let mut sched = self.sched().await?;
        let statement = sched
            .prepare_cached(include_str!("gauge/impact.sql"))
            .await?;
        let rows = sched.query(&statement, &[]).await?;
        Ok(rows
            .iter()
            .map(|row| ImpactLoad {
                mode: row.get("mode"),
                runs: level(row.get("runs")),
                segments: level(row.get("segments")),
            })
            .collect())
    }
}

/// A count as PostgreSQL tells it.
fn level(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
