//! Jobs: submitted in batches, read one by one or by page.

use std::collections::BTreeSet;

use jobengine_domain::class::FailureClass;
use jobengine_domain::dag::EdgePolicy;
use jobengine_domain::digest::Digest;
use jobengine_domain::id::{JobId, ProjectId, RunId, SessionId};
use jobengine_domain::priority::Priority;
use jobengine_domain::time::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::act::Act;
use crate::caller::Tx;
use crate::draw::{draw_many, draw_many_at};
use crate::error::StoreError;
use crate::ticket::signed;
use crate::ts::{Ts, ts};

/// A job as it is submitted: checked at the edge, complete.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Its name within its run; empty without a run.
    pub key: String,
    /// Which workers may claim it.
    pub job_type: String,
    /// Its band.
    pub priority: Priority,
    /// JSON text.
    pub payload: String,
    /// Attempts in all.
    pub max_attempts: u32,
    /// Attempts that may end with the worker's disappearance.
    pub max_crashes: u32,
    /// Not before this moment.
    pub not_before: Option<Timestamp>,
    /// Success after this moment does not count.
    pub deadline: Option<Timestamp>,
    /// Follows the job through logs and events.
    pub correlation_id: String,
    /// The project it belongs to.
    pub project: Option<ProjectId>,
    /// The name of the upstream it works for.
    pub source: Option<String>,
    /// Words to find it by: without commas.
    pub tags: Vec<String>,
    /// Where its trace began (W3C Trace Context).
    pub traceparent: Option<String>,
    /// The ended job that it repeats.
    pub replay_of: Option<JobId>,
    /// Indices of the parents in the same batch, each before this job, and how their ends are taken.
    pub parents: Vec<(usize, EdgePolicy)>,
}

/// A job as it stands in the ledger.
#[derive(Debug, Clone)]
pub struct JobRecord {
    /// Its id.
    pub id: JobId,
    /// Its run, if any.
    pub run: Option<RunId>,
    /// Its name within its run.
    pub key: String,
    /// Which workers may claim it.
    pub job_type: String,
    /// Its band: the one it was submitted with, or was given since; of a job that has ended, the first.
    pub priority: Priority,
    /// `blocked`, `queued`, `leased`, or how it ended.
    pub state: String,
    /// JSON text; empty in a list.
    pub payload: String,
    /// SHA-256 of the payload text.
    pub payload_digest: Digest,
    /// Attempts granted so far.
    pub attempts: u32,
    /// Attempts in all.
    pub max_attempts: u32,
    /// When it may start, while it is queued.
    pub ready_at: Option<Timestamp>,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What the last attempt died of.
    pub class: Option<FailureClass>,
    /// What the worker said about it.
    pub detail: Option<String>,
    /// JSON text the worker gave as the result; none in a list.
    pub result: Option<String>,
    /// Follows the job through logs and events.
    pub correlation_id: String,
    /// The project it belongs to.
    pub project: Option<ProjectId>,
    /// The name of the upstream it works for.
    pub source: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The ended job that it repeats.
    pub replay_of: Option<JobId>,
}

/// One attempt.
#[derive(Debug, Clone)]
pub struct AttemptRecord {
    /// Whose.
    pub job: JobId,
    /// Counted from 1.
    pub attempt: u32,
    /// Its fence.
    pub fence: i64,
    /// The worker session that made it.
    pub session: SessionId,
    /// When it was granted.
    pub granted_at: Timestamp,
    /// When its worker said that it has begun.
    pub started_at: Option<Timestamp>,
    /// When it ended and how: `succeeded`, `failed`, `expired`, `released`, `canceled` or `timed_out`;
    /// `None` while it is under way.
    pub end: Option<(Timestamp, String)>,
    /// What it died of.
    pub class: Option<FailureClass>,
    /// What the worker said about it.
    pub detail: Option<String>,
}

impl Tx {
    /// Writes jobs to the ledger, queued or blocked by their parents. All or none.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the tenant does not exist, [`StoreError::SourceClosed`] when nothing is taken for
    /// the source of one of them.
    pub async fn jobs_submit(
        &self,
        run: Option<RunId>,
        jobs: &[NewJob],
    ) -> Result<Vec<JobId>, StoreError> {
        self.submit(run, jobs, &vec![self.actor(); jobs.len()])
            .await
    }

    /// Writes jobs to the ledger for the principals of several acts, one act a job. All or none.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the tenant, or the project of a job, does not exist.
    pub async fn jobs_submit_by(
        &self,
        jobs: &[NewJob],
        acts: &[&Act],
    ) -> Result<Vec<JobId>, StoreError> {
        let by: Vec<_> = acts
            .iter()
            .map(|act| (Some(act.subject.as_str()), Some(act.scope.as_str())))
            .collect();
        self.submit(None, jobs, &by).await
    }

    /// `by` says for each job who submits it, and by which scope.
    async fn submit(
        &self,
        run: Option<RunId>,
        jobs: &[NewJob],
        by: &[(Option<&str>, Option<&str>)],
    ) -> Result<Vec<JobId>, StoreError> {
        let mut sources: Vec<&str> = jobs
            .iter()
            .filter_map(|job| job.source.as_deref())
            .collect();
        sources.sort_unstable();
        sources.dedup();
        self.sources_check(&sources).await?;
        let bands: Vec<Priority> = jobs.iter().map(|job| job.priority).collect();
        let sort_keys = self.sort_keys(&bands).await?;
        let projects: BTreeSet<Uuid> = jobs
            .iter()
            .filter_map(|job| job.project.map(|project| project.0))
            .collect();
        let projects: Vec<Uuid> = projects.into_iter().collect();
        self.projects_check(&projects).await?;
        let ids: Vec<Uuid> = draw_many(self.now(), jobs.len());
        let mut has_children = vec![false; jobs.len()];
        let (mut parents, mut children, mut policies) = (Vec::new(), Vec::new(), Vec::new());
        for (at, job) in jobs.iter().enumerate() {
            for (parent, policy) in &job.parents {
                has_children[*parent] = true;
                parents.push(ids[*parent]);
                children.push(ids[at]);
                policies.push(policy.as_str());
            }
        }
        let column = |of: fn(&NewJob) -> &str| jobs.iter().map(of).collect::<Vec<&str>>();
        let option =
            |of: fn(&NewJob) -> Option<&str>| jobs.iter().map(of).collect::<Vec<Option<&str>>>();
        let number =
            |of: fn(&NewJob) -> u32| jobs.iter().map(|job| signed(of(job))).collect::<Vec<i32>>();
        let digests: Vec<Vec<u8>> = jobs
            .iter()
            .map(|job| Digest::of(job.payload.as_bytes()).as_bytes().to_vec())
            .collect();
        let parent_counts: Vec<i32> = jobs
            .iter()
            .map(|job| i32::try_from(job.parents.len()).expect("a job has at most 10,000 parents"))
            .collect();
        let runs = vec![run.map(|run| run.0); jobs.len()];
        self.execute(
            include_str!("job/submit.sql"),
            &[
                &self.tenant().0,
                &Ts(self.now()),
                &ids,
                &runs,
                &column(|job| &job.key),
                &column(|job| &job.job_type),
                &column(|job| job.priority.as_str()),
                &sort_keys,
                &column(|job| &job.payload),
                &digests,
                &number(|job| job.max_attempts),
                &number(|job| job.max_crashes),
                &jobs.iter().map(|job| ts(job.deadline)).collect::<Vec<_>>(),
                &jobs
                    .iter()
                    .map(|job| ts(job.not_before))
                    .collect::<Vec<_>>(),
                &has_children,
                &parent_counts,
                &column(|job| &job.correlation_id),
                &draw_many_at(self.now(), jobs.len()),
                &jobs
                    .iter()
                    .map(|job| job.project.map(|project| project.0))
                    .collect::<Vec<_>>(),
                &option(|job| job.source.as_deref()),
                &jobs
                    .iter()
                    .map(|job| job.tags.join(","))
                    .collect::<Vec<_>>(),
                &jobs
                    .iter()
                    .map(|job| job.replay_of.map(|job| job.0))
                    .collect::<Vec<_>>(),
                &option(|job| job.traceparent.as_deref()),
                &by.iter().map(|(actor, _)| *actor).collect::<Vec<_>>(),
                &by.iter().map(|(_, scope)| *scope).collect::<Vec<_>>(),
            ],
        )
        .await?;
        self.note_event();
        if let Some(run) = run.filter(|_| !parents.is_empty()) {
            let params: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
                [&self.tenant().0, &parents, &children, &policies, &run.0];
            self.execute(include_str!("job/edges.sql"), &params).await?;
        }
        for (job, sort_key) in jobs.iter().zip(&sort_keys) {
            let waits = job.not_before.is_some_and(|at| at > self.now());
            if job.parents.is_empty() && !waits {
                self.note_ready(&job.job_type, *sort_key);
            }
        }
        Ok(ids.into_iter().map(JobId).collect())
    }

    /// Reads one job; `None` when this tenant has none of that id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn job_find(&self, id: JobId) -> Result<Option<JobRecord>, StoreError> {
        let row = self
            .query_opt(include_str!("job/get.sql"), &[&id.0])
            .await?;
        row.as_ref().map(job_record).transpose()
    }

    /// The attempts of some jobs in the order of their fences, also the ones under way.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn job_attempts(&self, jobs: &[JobId]) -> Result<Vec<AttemptRecord>, StoreError> {
        let jobs: Vec<Uuid> = jobs.iter().map(|job| job.0).collect();
        let rows = self
            .query(include_str!("job/attempts.sql"), &[&jobs])
            .await?;
        rows.iter().map(attempt_record).collect()
    }
}

fn job_record(row: &Row) -> Result<JobRecord, StoreError> {
    Ok(JobRecord {
        payload: row.get("payload"),
        result: row.get("result"),
        ..job_brief(row)?
    })
}

/// A job out of a row without payload and result.
pub(crate) fn job_brief(row: &Row) -> Result<JobRecord, StoreError> {
    Ok(JobRecord {
        id: JobId(row.get("job_id")),
        run: row.get::<_, Option<Uuid>>("run_id").map(RunId),
        key: row.get("job_key"),
        job_type: row.get("job_type"),
        priority: band(row)?,
        state: row.get("state"),
        payload: String::new(),
        payload_digest: digest(row.get("payload_digest"), "job.payload_digest")?,
        attempts: crate::ticket::unsigned(row.get("attempts"), "job.attempts")?,
        max_attempts: crate::ticket::unsigned(row.get("max_attempts"), "job.max_attempts")?,
        ready_at: row.get::<_, Option<Ts>>("ready_at").map(|Ts(at)| at),
        created_at: row.get::<_, Ts>("created_at").0,
        ended_at: row.get::<_, Option<Ts>>("ended_at").map(|Ts(at)| at),
        class: class(row.get("class"), "outcome.class")?,
        detail: row.get("detail"),
        result: None,
        correlation_id: row.get("correlation_id"),
        project: row.get::<_, Option<Uuid>>("project_id").map(ProjectId),
        source: row.get("source"),
        tags: row.get("tags"),
        replay_of: row.get::<_, Option<Uuid>>("replay_of").map(JobId),
    })
}

/// The band in which a job stands now: told by its key, because the ledger keeps what was submitted.
fn band(row: &Row) -> Result<Priority, StoreError> {
    let submitted = row.get::<_, &str>("priority").parse();
    let submitted = submitted.map_err(|_| StoreError::Corrupt {
        place: "job.priority",
    })?;
    let key = row.get("sort_key");
    Ok(Priority::of_key(key, submitted, row.get("submitted_key")))
}

fn attempt_record(row: &Row) -> Result<AttemptRecord, StoreError> {
    let ended_at = row.get::<_, Option<Ts>>("ended_at").map(|Ts(at)| at);
    Ok(AttemptRecord {
        job: JobId(row.get("job_id")),
        session: SessionId(row.get("session_id")),
        started_at: row.get::<_, Option<Ts>>("started_at").map(|Ts(at)| at),
        end: ended_at.zip(row.get("cause")),
        attempt: crate::ticket::unsigned(row.get("attempt"), "attempt.attempt")?,
        fence: row.get("fence"),
        granted_at: row.get::<_, Ts>("granted_at").0,
        class: class(row.get("class"), "attempt.class")?,
        detail: row.get("detail"),
    })
}

pub(crate) fn class(
    text: Option<&str>,
    place: &'static str,
) -> Result<Option<FailureClass>, StoreError> {
    text.map(str::parse)
        .transpose()
        .map_err(|_| StoreError::Corrupt { place })
}

pub(crate) fn digest(bytes: &[u8], place: &'static str) -> Result<Digest, StoreError> {
    bytes
        .try_into()
        .map(Digest::from_bytes)
        .map_err(|_| StoreError::Corrupt { place })
}
