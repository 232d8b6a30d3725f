//! Leases: claimed in batches, each grant under a new fence.

use std::collections::BTreeMap;

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
use crate::draw::draw_many_at;
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

/// What is looked for of one job type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeWanted<'a> {
    /// The type.
    pub job_type: &'a str,
    /// From this sort key on.
    pub from: i64,
    /// How many jobs at most.
    pub jobs: usize,
}

/// The sessions that claim jobs of one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeClaim<'a> {
    /// The type.
    pub job_type: &'a str,
    /// From this sort key on.
    pub from: i64,
    /// The first session gets the first job, and so on. A session may be named more than once.
    pub sessions: &'a [SessionId],
}

impl<'a> TypeClaim<'a> {
    /// Jobs of a type, from the first one on.
    pub const fn of(job_type: &'a str, sessions: &'a [SessionId]) -> Self {
        Self {
            job_type,
            from: i64::MIN,
            sessions,
        }
    }
}

impl Tx {
    /// Moves jobs whose time has come to the ready set, up to `limit` of each type; returns the lowest
    /// sort key among them, by type.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lease_promote(
        &self,
        types: &[&str],
        limit: u32,
    ) -> Result<BTreeMap<String, i64>, StoreError> {
        let rows = self
            .query(
                include_str!("lease/promote.sql"),
                &[&types, &Ts(self.now()), &i64::from(limit)],
            )
            .await?;
        let lowest = |row: &Row| (row.get("job_type"), row.get("sort_key"));
        Ok(rows.iter().map(lowest).collect())
    }

    /// The types of the ready jobs that are next over all the wanted types together, in the order of
    /// claims: at most `limit` indices into `wanted`. Locks nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lease_heads(
        &self,
        wanted: &[TypeWanted<'_>],
        limit: usize,
    ) -> Result<Vec<usize>, StoreError> {
        let types: Vec<&str> = wanted.iter().map(|one| one.job_type).collect();
        let first: Vec<i64> = wanted.iter().map(|one| one.from).collect();
        let jobs: Vec<i64> = wanted.iter().map(|one| count(one.jobs)).collect();
        let row = self
            .query_one(
                include_str!("lease/heads.sql"),
                &[&self.tenant().0, &types, &first, &jobs, &count(limit)],
            )
            .await?;
        let index = |number: &i64| {
            let number = usize::try_from(*number).ok();
            let index = number.and_then(|number| number.checked_sub(1));
            index.filter(|index| *index < wanted.len())
        };
        let next: Vec<i64> = row.get("types");
        next.iter()
            .map(|number| index(number).ok_or(StoreError::Corrupt { place: "ready" }))
            .collect()
    }

    /// Leases ready jobs, as many of each type as it has sessions and as far as there are any. The answer has
    /// a list for each claim, in its order: the first grant is that of the first session, and so on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lease_claim(
        &self,
        claims: &[TypeClaim<'_>],
    ) -> Result<Vec<Vec<Grant>>, StoreError> {
        self.claim(claims, false).await
    }

    /// The type and the sort key of the first ready job of these types that is granted alone, if there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lease_alone(&self, types: &[&str]) -> Result<Option<(String, i64)>, StoreError> {
        let row = self
            .query_opt(include_str!("lease/alone.sql"), &[&self.tenant().0, &types])
            .await?;
        Ok(row.map(|row| (row.get("job_type"), row.get("sort_key"))))
    }

    /// Leases a job that is granted alone to a session that holds nothing, if it is still there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lease_claim_alone(
        &self,
        job_type: &str,
        from: i64,
        session: SessionId,
    ) -> Result<Option<Grant>, StoreError> {
        let claim = TypeClaim {
            job_type,
            from,
            sessions: &[session],
        };
        let granted = self.claim(&[claim], true).await?;
        Ok(granted.into_iter().flatten().next())
    }

    async fn claim(
        &self,
        claims: &[TypeClaim<'_>],
        alone: bool,
    ) -> Result<Vec<Vec<Grant>>, StoreError> {
        let types: Vec<&str> = claims.iter().map(|claim| claim.job_type).collect();
        let first: Vec<i64> = claims.iter().map(|claim| claim.from).collect();
        let jobs: Vec<i64> = claims.iter().map(|one| count(one.sessions.len())).collect();
        let skip: Vec<i64> = jobs
            .iter()
            .scan(0, |before, jobs| {
                Some(std::mem::replace(before, *before + jobs))
            })
            .collect();
        let sessions: Vec<Uuid> = claims
            .iter()
            .flat_map(|claim| claim.sessions)
            .map(|session| session.0)
            .collect();
        let events = draw_many_at(self.now(), sessions.len());
        let (tenant, now) = (self.tenant(), Ts(self.now()));
        let gate = tenant.to_string();
        let params: [&(dyn ToSql + Sync); 9] = [
            &tenant.0, &types, &first, &jobs, &now, &sessions, &skip, &events, &alone,
        ];
        // Two statements, one round trip: the claim must see what was committed while the gate was closed.
        let rows = self
            .query_behind(
                (include_str!("lease/gate.sql"), &[&gate]),
                (include_str!("lease/claim.sql"), &params),
            )
            .await?;
        if !rows.is_empty() {
            self.note_event();
        }
        let mut grants: Vec<Grant> = rows
            .iter()
            .map(|row| {
                let token = LeaseToken(row.get("token"));
                granted(row, row.get("job_type"), token, self.now())
            })
            .collect::<Result<_, _>>()?;
        let mut runs: BTreeMap<Uuid, Ts> = BTreeMap::new();
        for row in &rows {
            if let Some(run) = row.get::<_, Option<Uuid>>("run_id") {
                let Ts(at) = row.get("granted_at");
                let first = runs.entry(run).or_insert(Ts(at));
                first.0 = first.0.min(at);
            }
        }
        self.notes().granted(&grants, self.now());
        self.trace_granted(&mut grants).await?;
        if !runs.is_empty() {
            let (runs, starts): (Vec<Uuid>, Vec<Ts>) = runs.into_iter().unzip();
            self.execute(include_str!("run/start.sql"), &[&runs, &starts])
                .await?;
        }
        Ok(by_claim(claims, grants))
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

/// A list of grants for each claim: those of its type, in the order in which they came.
fn by_claim(claims: &[TypeClaim<'_>], grants: Vec<Grant>) -> Vec<Vec<Grant>> {
    let of_type: BTreeMap<&str, usize> = claims
        .iter()
        .enumerate()
        .map(|(at, claim)| (claim.job_type, at))
        .collect();
    let mut lists: Vec<Vec<Grant>> = claims.iter().map(|_| Vec::new()).collect();
    for grant in grants {
        let at = of_type[grant.job_type.as_str()];
        lists[at].push(grant);
    }
    for (claim, list) in claims.iter().zip(&lists) {
        assert!(
            list.len() <= claim.sessions.len(),
            "a claim returns at most what was asked for"
        );
    }
    lists
}

fn count(number: usize) -> i64 {
    i64::try_from(number).expect("a claim has a bounded number of sessions and types")
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
