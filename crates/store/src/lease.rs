//! Leases: claimed in batches, each grant under a new fence.

use jobengine_domain::digest::Digest;
use jobengine_domain::id::{JobId, ProjectId, RunId, SessionId};
use jobengine_domain::lease::Fence;
use jobengine_domain::retry::AttemptLimits;
use jobengine_domain::state::{Event, JobRules, JobState};
use jobengine_domain::time::Timestamp;
use subtle::ConstantTimeEq;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::caller::Tx;
use crate::draw::draw_many;
use crate::error::StoreError;
use crate::job::digest;
use crate::ticket::unsigned;
use crate::ts::Ts;

/// Proof of holding a lease: random bits that only the worker knows. Never logged, stored as a hash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LeaseToken(Uuid);

impl LeaseToken {
    /// As the worker presents it.
    pub const fn from_uuid(token: Uuid) -> Self {
        Self(token)
    }

    /// For the answer to the worker, and for nothing else.
    pub const fn reveal(self) -> Uuid {
        self.0
    }

    pub(crate) fn matches(self, hash: &[u8]) -> bool {
        Digest::of(self.0.as_bytes()).as_bytes().ct_eq(hash).into()
    }
}

impl std::fmt::Debug for LeaseToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LeaseToken(…)")
    }
}

/// One job handed to a worker.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Which job.
    pub job: JobId,
    /// Who got it.
    pub session: SessionId,
    /// Its run, if any.
    pub run: Option<RunId>,
    /// Its name within its run.
    pub key: String,
    /// Its type.
    pub job_type: String,
    /// Whose report counts.
    pub fence: Fence,
    /// Proof of holding the lease.
    pub token: LeaseToken,
    /// Counted from 1.
    pub attempt: u32,
    /// Attempts in all.
    pub max_attempts: u32,
    /// JSON text.
    pub payload: String,
    /// SHA-256 of the payload text.
    pub payload_digest: Digest,
    /// The project it is done for.
    pub project: Option<ProjectId>,
    /// The source it works for.
    pub source: Option<String>,
    /// What it was tagged with.
    pub tags: Vec<String>,
    /// Follows the job through logs and events.
    pub correlation_id: String,
    /// Where the attempt stands in its trace: while traces are recorded, its own span.
    pub traceparent: Option<String>,
    /// Its place in the order of claims.
    pub sort_key: i64,
}

impl Tx {
    /// Moves jobs whose time has come to the ready set; returns the lowest sort key among them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lease_promote(
        &self,
        job_type: &str,
        limit: u32,
    ) -> Result<Option<i64>, StoreError> {
        let rows = self
            .query(
                include_str!("lease/promote.sql"),
                &[&job_type, &Ts(self.now()), &i64::from(limit)],
            )
            .await?;
        Ok(rows.iter().map(|row| row.get("sort_key")).min())
    }

    /// Leases ready jobs of one type from sort key `from` on: the first to the first of `takers`, the
    /// next to the next, as far as there are any. A session may stand among the takers more than once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lease_claim(
        &self,
        takers: &[SessionId],
        job_type: &str,
        from: i64,
    ) -> Result<Vec<Grant>, StoreError> {
        let events: Vec<Uuid> = draw_many(self.now(), takers.len());
        let takers: Vec<Uuid> = takers.iter().map(|session| session.0).collect();
        let limit = i64::try_from(takers.len()).expect("a claim has a bounded number of takers");
        let (tenant, now) = (self.tenant(), Ts(self.now()));
        let gate = tenant.to_string();
        let params: [&(dyn ToSql + Sync); 7] =
            [&tenant.0, &takers, &job_type, &from, &now, &limit, &events];
        // Two statements, one round trip: the claim must see what was committed while the gate was closed.
        let rows = self
            .query_behind(
                (include_str!("lease/gate.sql"), &[&gate]),
                (include_str!("lease/claim.sql"), &params),
            )
            .await?;
        assert!(
            rows.len() <= takers.len(),
            "a claim returns at most what was asked for"
        );
        if !rows.is_empty() {
            self.note_event();
        }
        let mut grants: Vec<Grant> = rows
            .iter()
            .map(|row| granted(row, job_type, LeaseToken(row.get("token")), self.now()))
            .collect::<Result<_, _>>()?;
        let mut runs: Vec<Uuid> = grants
            .iter()
            .filter_map(|grant| grant.run)
            .map(|run| run.0)
            .collect();
        runs.sort_unstable();
        runs.dedup();
        self.notes().granted(&grants, self.now());
        self.trace_granted(&mut grants).await?;
        if !runs.is_empty() {
            self.execute(include_str!("run/start.sql"), &[&runs, &Ts(self.now())])
                .await?;
        }
        Ok(grants)
    }

    /// Checks that `token` holds the lease of `job`, and keeps it from ending until this transaction
    /// does. Returns the lease's fence; `None` when the lease was lost.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lease_check(
        &self,
        job: JobId,
        token: LeaseToken,
    ) -> Result<Option<Fence>, StoreError> {
        let row = self
            .query_opt(include_str!("lease/find.sql"), &[&job.0])
            .await?;
        Ok(row
            .filter(|row| token.matches(row.get("token_hash")))
            .map(|row| Fence(row.get("fence"))))
    }
}

/// Reads a grant made at `now`, and holds the statement against the rule: it must have moved the job
/// exactly as the state function says.
pub(crate) fn granted(
    row: &Row,
    job_type: &str,
    token: LeaseToken,
    now: Timestamp,
) -> Result<Grant, StoreError> {
    let job = JobId(row.get("job_id"));
    let fence = Fence(row.get("fence"));
    let attempt = unsigned(row.get("attempt"), "lease.attempt")?;
    let crashes = unsigned(row.get("crashes"), "lease.crashes")?;
    let max_attempts = unsigned(row.get("max_attempts"), "lease.max_attempts")?;
    let limits = AttemptLimits {
        attempts: max_attempts,
        crashes: unsigned(row.get("max_crashes"), "lease.max_crashes")?,
    };
    let deadline = row.get::<_, Option<Ts>>("deadline").map(|Ts(at)| at);
    let before = JobState::Queued {
        ready_at: now,
        attempts: attempt - 1,
        crashes,
    };
    let after = before.apply(
        &JobRules {
            job,
            limits,
            deadline,
        },
        Event::Granted { fence },
        now,
    );
    if after
        != Ok(JobState::Leased {
            attempt,
            fence,
            crashes,
        })
    {
        return Err(StoreError::Corrupt { place: "lease" });
    }
    Ok(Grant {
        job,
        session: SessionId(row.get("session_id")),
        run: row.get::<_, Option<Uuid>>("run_id").map(RunId),
        key: row.get("job_key"),
        job_type: job_type.to_owned(),
        fence,
        token,
        attempt,
        max_attempts,
        payload: row.get("payload"),
        payload_digest: digest(row.get("payload_digest"), "job.payload_digest")?,
        project: row.get::<_, Option<Uuid>>("project_id").map(ProjectId),
        source: row.get("source"),
        tags: row.get("tags"),
        correlation_id: row.get("correlation_id"),
        traceparent: row.get("traceparent"),
        sort_key: row.get("sort_key"),
    })
}
