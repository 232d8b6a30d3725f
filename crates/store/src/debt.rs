//! Debts: images that an impact run left out, and the runs that evaluate them after all.

use std::collections::BTreeSet;

use jobengine_domain::canon::canonical;
use jobengine_domain::defaults::{ATTEMPTS, CRASH_ATTEMPTS, DEBT_PLAN_MAX};
use jobengine_domain::digest::Digest;
use jobengine_domain::id::{RunId, TenantId};
use jobengine_domain::priority::Priority;
use jobengine_domain::time::Timestamp;
use jobengine_impact::debt::Debt;
use jobengine_impact::evaluate::Scope;
use jobengine_impact::plan::{Plan, PlanInput, plan};
use jobengine_impact::segment::{Segment, SegmentSize};
use jobengine_impact::severity::Severity;
use serde_json::json;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::caller::Tx;
use crate::connect::Store;
use crate::error::StoreError;
use crate::impact_run::PlanFacts;
use crate::job::{NewJob, digest};
use crate::run::NewRun;
use crate::ticket::{signed, unsigned};
use crate::ts::Ts;

/// The type of the jobs that evaluate segments.
pub const EVALUATE: &str = "impact.evaluate";

/// A debt as it stands in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebtRecord {
    /// What is owed.
    pub debt: Debt,
    /// When the first run left it.
    pub opened_at: Timestamp,
    /// From when on it is planned again.
    pub due_at: Timestamp,
    /// The run that evaluates it now.
    pub paid_by: Option<RunId>,
}

/// Which debts a run is to pay.
#[derive(Debug, Clone, Copy)]
pub enum Owing {
    /// Those that are due.
    Due,
    /// Those that the run of this generation left, due or not.
    LeftBy(u64),
}

/// A run that pays debts.
#[derive(Debug, Clone, Copy)]
pub struct PayingRun {
    /// Its id.
    pub run: RunId,
    /// Images that it evaluates.
    pub images: usize,
}

impl Tx {
    /// Plans a run that pays debts: at most [`DEBT_PLAN_MAX`], all of which were left out equally often, in
    /// segments that are the smaller the more often. `None` when there is nothing to pay.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn debts_plan(
        &self,
        owing: Owing,
        size: SegmentSize,
        traceparent: Option<String>,
    ) -> Result<Option<PayingRun>, StoreError> {
        // Whoever completes a run or removes an image writes debts under the same lock.
        self.findings_lock().await?;
        let mut debts = match owing {
            Owing::Due => self.debts_due().await?,
            Owing::LeftBy(generation) => self.debts_of_run(generation).await?,
        };
        debts.retain(|debt| debt.paid_by.is_none());
        let Some(tries) = debts.first().map(|first| first.debt.tries) else {
            return Ok(None);
        };
        debts.retain(|debt| debt.debt.tries == tries);
        let (mut full, mut scoped, mut packages) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for DebtRecord { debt, .. } in &debts {
            match &debt.scope {
                Scope::All => full.insert(debt.image),
                Scope::Packages(owed) => {
                    packages.extend(owed.iter().cloned());
                    scoped.insert(debt.image)
                }
            };
        }
        // As with any plan: what was never evaluated as it is made now is not looked at for some packages only.
        full.extend(self.images_unevaluated(&scoped).await?);
        let fleet = self.query_opt(include_str!("debt/fleet.sql"), &[]).await?;
        let fleet = fleet.map_or(0, |row| row.get::<_, i64>("images"));
        let fleet = u64::try_from(fleet).unwrap_or(0);
        let floor = debts.iter().map(|debt| debt.debt.priority).max();
        let plan = plan(&PlanInput {
            full: &full,
            scoped: &scoped,
            packages: &packages,
            fleet,
            worst: Severity::Low,
            kev: false,
            floor: floor.unwrap_or_default(),
            size: size.split(tries).for_images(debts.len()),
        });
        let facts = PlanFacts {
            images_impacted: debts.len() as u64,
            images_total: fleet,
            advisories_changed: 0,
        };
        let (new, jobs) = segment_jobs(&plan, traceparent);
        let run = self.impact_run_create(&new, &plan, facts, &jobs).await?;
        let images: Vec<&[u8]> = debts.iter().map(image).collect();
        let taken = self
            .execute(include_str!("debt/take.sql"), &[&run.0, &images])
            .await?;
        if taken != images.len() as u64 {
            return Err(StoreError::Stale("the debt"));
        }
        Ok(Some(PayingRun {
            run,
            images: images.len(),
        }))
    }

    async fn debts_due(&self) -> Result<Vec<DebtRecord>, StoreError> {
        let (now, limit) = (Ts(self.now()), i64::from(DEBT_PLAN_MAX));
        let rows = self
            .query(include_str!("debt/due.sql"), &[&now, &limit])
            .await?;
        rows.iter().map(debt_record).collect()
    }

    /// Up to [`DEBT_PLAN_MAX`] debts that the run of a generation left first or last, those that no run pays
    /// before the others.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn debts_of_run(&self, generation: u64) -> Result<Vec<DebtRecord>, StoreError> {
        let (generation, limit) = (count(generation), i64::from(DEBT_PLAN_MAX));
        let rows = self
            .query(include_str!("debt/of_run.sql"), &[&generation, &limit])
            .await?;
        rows.iter().map(debt_record).collect()
    }

    /// A page of debts after an image, by the image's digest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn debt_list(
        &self,
        after: Option<Digest>,
        limit: u32,
    ) -> Result<Vec<DebtRecord>, StoreError> {
        let after = after.map_or_else(Vec::new, |image| image.as_bytes().to_vec());
        let rows = self
            .query(include_str!("debt/list.sql"), &[&after, &i64::from(limit)])
            .await?;
        rows.iter().map(debt_record).collect()
    }

    /// What is owed to some images, by digest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn debts_get(&self, images: &[Digest]) -> Result<Vec<DebtRecord>, StoreError> {
        let rows = self
            .query(include_str!("debt/get.sql"), &[&bytes(images)])
            .await?;
        rows.iter().map(debt_record).collect()
    }

    /// Writes what is owed as it stands now.
    pub(crate) async fn debts_put(&self, debts: &[DebtRecord]) -> Result<(), StoreError> {
        if debts.is_empty() {
            return Ok(());
        }
        let all = || debts.iter().map(|record| &record.debt);
        let packages = |scope: &Scope| match scope {
            Scope::All => String::new(),
            Scope::Packages(packages) => {
                let names: Vec<String> = packages.iter().map(ToString::to_string).collect();
                names.join("\n")
            }
        };
        self.execute(
            include_str!("debt/put.sql"),
            &[
                &self.tenant().0,
                &debts.iter().map(image).collect::<Vec<_>>(),
                &all().map(|debt| packages(&debt.scope)).collect::<Vec<_>>(),
                &all().map(|debt| count(debt.first)).collect::<Vec<_>>(),
                &all().map(|debt| count(debt.last)).collect::<Vec<_>>(),
                &all().map(|debt| signed(debt.tries)).collect::<Vec<_>>(),
                &all().map(|debt| debt.priority.as_str()).collect::<Vec<_>>(),
                &all().map(|debt| &*debt.reason).collect::<Vec<_>>(),
                &debts.iter().map(|it| Ts(it.opened_at)).collect::<Vec<_>>(),
                &debts.iter().map(|it| Ts(it.due_at)).collect::<Vec<_>>(),
                &debts
                    .iter()
                    .map(|it| it.paid_by.map(|run| run.0))
                    .collect::<Vec<_>>(),
            ],
        )
        .await?;
        Ok(())
    }

    /// Nothing is owed to some images any more.
    pub(crate) async fn debts_remove(&self, images: &[Digest]) -> Result<(), StoreError> {
        self.execute(include_str!("debt/remove.sql"), &[&bytes(images)])
            .await?;
        Ok(())
    }
}

impl Store {
    /// Tenants with a debt that is due and that no run pays.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tenants_owing(&self) -> Result<Vec<TenantId>, StoreError> {
        let now = self.test_time().map(Ts);
        let mut sched = self.sched().await?;
        let statement = sched
            .prepare_cached(include_str!("debt/tenants.sql"))
            .await?;
        let rows = sched.query(&statement, &[&now]).await?;
        Ok(rows
            .iter()
            .map(|row| TenantId(row.get("tenant_id")))
            .collect())
    }
}

/// The run of a plan, and its jobs: one a segment.
pub fn segment_jobs(plan: &Plan, traceparent: Option<String>) -> (NewRun, Vec<NewJob>) {
    let correlation_id = plan.digest.to_string();
    let jobs = plan.segments.iter().map(|segment| NewJob {
        traceparent: traceparent.clone(),
        ..segment_job(segment, plan.priority, &correlation_id)
    });
    let jobs = jobs.collect();
    let run = NewRun {
        trigger: "delta".to_owned(),
        project: None,
        source: None,
        correlation_id,
        traceparent,
    };
    (run, jobs)
}

/// The job that evaluates a segment. Its images stand in the ledger, not in the payload: a segment
/// may hold more of them than a payload bears.
fn segment_job(segment: &Segment, priority: Priority, correlation_id: &str) -> NewJob {
    let payload = json!({
        "ordinal": segment.ordinal,
        "scopeAll": segment.scope_all,
        "images": segment.images.len(),
    });
    let payload = canonical(&payload).expect("three small numbers");
    NewJob {
        key: segment_name(segment.ordinal),
        job_type: EVALUATE.to_owned(),
        priority,
        payload: String::from_utf8(payload).expect("JSON is UTF-8"),
        max_attempts: ATTEMPTS,
        max_crashes: CRASH_ATTEMPTS,
        not_before: None,
        deadline: None,
        correlation_id: correlation_id.to_owned(),
        project: None,
        source: None,
        tags: Vec::new(),
        traceparent: None,
        replay_of: None,
        parents: Vec::new(),
    }
}

/// The name of a segment's job within its run; names sort as ordinals do.
pub fn segment_name(ordinal: u32) -> String {
    format!("segment-{ordinal:05}")
}

fn image(record: &DebtRecord) -> &[u8] {
    record.debt.image.as_bytes().as_slice()
}

fn bytes(images: &[Digest]) -> Vec<&[u8]> {
    images
        .iter()
        .map(|image| image.as_bytes().as_slice())
        .collect()
}

fn count(generation: u64) -> i64 {
    i64::try_from(generation).unwrap_or(i64::MAX)
}

fn debt_record(row: &Row) -> Result<DebtRecord, StoreError> {
    let corrupt = |place| StoreError::Corrupt { place };
    let generation = |column: &'static str| {
        u64::try_from(row.get::<_, i64>(column)).map_err(|_| corrupt("impact_debt.generation"))
    };
    let packages: Option<Vec<&str>> = row.get("packages");
    let scope = match packages {
        None => Scope::All,
        Some(packages) => {
            let packages = packages.iter().map(|package| package.parse());
            let packages = packages.collect::<Result<_, _>>();
            Scope::Packages(packages.map_err(|_| corrupt("impact_debt.packages"))?)
        }
    };
    let priority: &str = row.get("priority");
    Ok(DebtRecord {
        debt: Debt {
            image: digest(row.get("image"), "impact_debt.image")?,
            scope,
            first: generation("first_generation")?,
            last: generation("last_generation")?,
            tries: unsigned(row.get("tries"), "impact_debt.tries")?,
            priority: priority
                .parse()
                .map_err(|_| corrupt("impact_debt.priority"))?,
            reason: row.get("reason"),
        },
        opened_at: row.get::<_, Ts>("opened_at").0,
        due_at: row.get::<_, Ts>("due_at").0,
        paid_by: row.get::<_, Option<Uuid>>("paid_by").map(RunId),
    })
}
