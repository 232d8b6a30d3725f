//! Worker sessions: one heartbeat holds all leases of a worker; when it stops, they end.

use std::collections::{BTreeMap, BTreeSet};

use jobengine_domain::caller::Caller;
use jobengine_domain::class::FailureClass;
use jobengine_domain::digest::Digest;
use jobengine_domain::id::{JobId, SessionId, TenantId};
use jobengine_domain::lease::{Fence, LeaseMs};
use jobengine_domain::state::{Event, TransitionError};
use jobengine_domain::time::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::caller::Tx;
use crate::connect::Store;
use crate::error::StoreError;
use crate::job::digest;
use crate::lease::LeaseToken;
use crate::progress::{UnderWay, Word, under_way};
use crate::settle::Move;
use crate::ticket::{signed, unsigned};
use crate::ts::Ts;

/// What a heartbeat is answered for one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directive {
    /// Go on.
    Continue,
    /// Stop: somebody else may hold the job by now; nothing you report counts.
    LeaseLost,
}

/// What a heartbeat is answered.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    /// The lease from now on, in milliseconds; `None` when the session is over and holds nothing.
    pub lease_ms: Option<u32>,
    /// One for each job the worker named, in its order.
    pub directives: Vec<Directive>,
}

/// A session as its worker opens it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkerSession {
    /// Made by the worker.
    pub id: SessionId,
    /// What the worker calls itself.
    pub worker: String,
    /// The principal that opens it; only the same one may use it.
    pub subject: String,
}

/// A heartbeat, as its worker sends it.
#[derive(Debug, Clone)]
pub struct Beat {
    /// Whose.
    pub session: SessionId,
    /// The principal that sends it.
    pub subject: String,
    /// What the worker thinks it holds.
    pub held: Vec<(JobId, LeaseToken)>,
    /// How far jobs among those are: thousandths and a few words.
    pub progress: Vec<(JobId, u16, Option<String>)>,
}

impl Beat {
    /// What the worker tells of jobs that it does hold.
    fn words(&self, leases: &BTreeMap<JobId, &Row>) -> Vec<Word> {
        let held = |job: &JobId| {
            let row = leases.get(job)?;
            let named = |(named, token): &(JobId, LeaseToken)| {
                named == job && token.matches(row.get("token_hash"))
            };
            let holds = self.held.iter().any(named);
            holds.then(|| Fence(row.get("fence")))
        };
        let words = self.progress.iter().filter_map(|(job, permille, note)| {
            Some(Word {
                job: *job,
                fence: held(job)?,
                permille: *permille,
                note: note.clone(),
            })
        });
        words.collect()
    }

    fn directives(&self, leases: &BTreeMap<JobId, &Row>) -> Vec<Directive> {
        let directive = |(job, token): &(JobId, LeaseToken)| match leases.get(job) {
            Some(row) if token.matches(row.get("token_hash")) => Directive::Continue,
            _ => Directive::LeaseLost,
        };
        self.held.iter().map(directive).collect()
    }
}

/// A worker, as its session shows it.
#[derive(Debug, Clone)]
pub struct SessionRecord {
    /// The session.
    pub id: SessionId,
    /// What the worker calls itself.
    pub worker: String,
    /// When it is held to be gone unless it is heard of.
    pub lease_until: Timestamp,
    /// How many jobs it holds.
    pub leases: u64,
}

/// Leases of a session that are shown with it.
const SESSION_LEASES_MAX: u32 = 500;

/// A worker, looked at closely.
#[derive(Debug, Clone)]
pub struct SessionDetail {
    /// As it is listed.
    pub session: SessionRecord,
    /// The principal that opened it.
    pub subject: String,
    /// When that was.
    pub created_at: Timestamp,
    /// Its last heartbeat.
    pub heard_at: Option<Timestamp>,
}

/// An attempt that a worker makes.
#[derive(Debug, Clone)]
pub struct SessionLease {
    /// At which job.
    pub job: JobId,
    /// Its type.
    pub job_type: String,
    /// When it was granted.
    pub granted_at: Timestamp,
    /// What its worker tells of it.
    pub under_way: UnderWay,
}

impl Tx {
    /// Reads a page of worker sessions after one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session_list(
        &self,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let after = after.map_or(Uuid::nil(), |session| session.0);
        let rows = self
            .query(
                include_str!("session/list.sql"),
                &[&after, &i64::from(limit)],
            )
            .await?;
        Ok(rows.iter().map(session_record).collect())
    }

    /// Reads one worker session with the attempts it makes; `None` when there is none of that id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session_find(
        &self,
        id: SessionId,
    ) -> Result<Option<(SessionDetail, Vec<SessionLease>)>, StoreError> {
        let limit = i64::from(SESSION_LEASES_MAX);
        let find: [&(dyn tokio_postgres::types::ToSql + Sync); 1] = [&id.0];
        let held: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&id.0, &limit];
        let (session, leases) = tokio::join!(
            biased;
            self.query_opt(include_str!("session/find.sql"), &find),
            self.query(include_str!("session/held.sql"), &held)
        );
        let (session, leases) = (session?, leases?);
        session
            .map(|row| {
                let detail = SessionDetail {
                    session: session_record(&row),
                    subject: row.get("subject"),
                    created_at: row.get::<_, Ts>("created_at").0,
                    heard_at: row.get::<_, Option<Ts>>("heard_at").map(|Ts(at)| at),
                };
                let leases = leases.iter().map(session_lease).collect::<Result<_, _>>()?;
                Ok((detail, leases))
            })
            .transpose()
    }

    /// Opens sessions or keeps them open: from now on they live for `lease`. Returns those that do,
    /// each with the digest of the key of its last claim that had one; the others were opened by another
    /// principal. A claim keeps the session, but no lease: what no
    /// heartbeat has held for the time of a lease ends here, because its worker never heard of it and
    /// may go on asking for ever.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] may be repeated.
    pub async fn sessions_open(
        &self,
        sessions: &[WorkerSession],
        lease: LeaseMs,
    ) -> Result<BTreeMap<WorkerSession, Option<Digest>>, StoreError> {
        let ids: Vec<Uuid> = sessions.iter().map(|session| session.id.0).collect();
        let column = |of: fn(&WorkerSession) -> &str| sessions.iter().map(of).collect::<Vec<_>>();
        let rows = self
            .query(
                include_str!("session/open.sql"),
                &[
                    &self.tenant().0,
                    &ids,
                    &column(|session| &session.worker),
                    &column(|session| &session.subject),
                    &signed(lease.get()),
                    &Ts(self.now()),
                ],
            )
            .await?;
        let unheard: Vec<Uuid> = rows
            .iter()
            .filter(|row| row.get("unheard"))
            .map(|row| row.get("session_id"))
            .collect();
        if !unheard.is_empty() {
            let params: [&(dyn tokio_postgres::types::ToSql + Sync); 2] =
                [&unheard, &Ts(self.now())];
            let lost = self
                .query(include_str!("session/unheard.sql"), &params)
                .await?;
            let lost = lost
                .iter()
                .map(|row| (JobId(row.get("job_id")), Fence(row.get("fence"))));
            self.leases_expire(&lost.collect::<Vec<_>>()).await?;
        }
        let open: BTreeMap<(Uuid, &str), Option<&[u8]>> = rows
            .iter()
            .map(|row| {
                let session = (row.get("session_id"), row.get("subject"));
                (session, row.get("last_claim"))
            })
            .collect();
        let is_open = |session: &WorkerSession| {
            let last_claim = open.get(&(session.id.0, session.subject.as_str()))?;
            let last_claim = last_claim.map(|hash| digest(hash, "claim_answer.key_hash"));
            Some(last_claim.transpose().map(|last| (session.clone(), last)))
        };
        sessions.iter().filter_map(is_open).collect()
    }

    /// Takes heartbeats, at most one of a session: holds every lease of these sessions, tells which of
    /// the named ones are lost, and ends those the worker does not know of (their claim's answer never
    /// arrived). The answers stand in the order of the beats.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] may be repeated.
    pub async fn sessions_heartbeat(&self, beats: &[Beat]) -> Result<Vec<Heartbeat>, StoreError> {
        let sessions: Vec<Uuid> = beats.iter().map(|beat| beat.session.0).collect();
        let subjects: Vec<&str> = beats.iter().map(|beat| beat.subject.as_str()).collect();
        let alive = self
            .query(
                include_str!("session/extend.sql"),
                &[&sessions, &subjects, &Ts(self.now())],
            )
            .await?;
        let alive: BTreeMap<(SessionId, &str), i32> = alive
            .iter()
            .map(|row| {
                let id = SessionId(row.get("session_id"));
                ((id, row.get("subject")), row.get("lease_ms"))
            })
            .collect();
        let rows = self
            .query(include_str!("session/leases.sql"), &[&sessions])
            .await?;
        let mut leases: BTreeMap<SessionId, BTreeMap<JobId, &Row>> = BTreeMap::new();
        for row in &rows {
            let of = leases.entry(SessionId(row.get("session_id"))).or_default();
            of.insert(JobId(row.get("job_id")), row);
        }
        let none = BTreeMap::new();
        let (mut unknown, mut words) = (Vec::new(), Vec::new());
        let mut answers = Vec::with_capacity(beats.len());
        for beat in beats {
            let Some(lease_ms) = alive.get(&(beat.session, beat.subject.as_str())) else {
                answers.push(Heartbeat {
                    lease_ms: None,
                    directives: vec![Directive::LeaseLost; beat.held.len()],
                });
                continue;
            };
            let lease_ms = unsigned(*lease_ms, "worker_session.lease_ms")?;
            let leases = leases.get(&beat.session).unwrap_or(&none);
            unknown.extend(self.unknown(beat, leases, lease_ms));
            words.extend(beat.words(leases));
            answers.push(Heartbeat {
                lease_ms: Some(lease_ms),
                directives: beat.directives(leases),
            });
        }
        self.words_write(&words).await?;
        if unknown.is_empty() {
            // Only extensions are at stake: a crash may lose them, and the next heartbeat mends that.
            self.command("SET LOCAL synchronous_commit = off").await?;
        } else {
            self.leases_expire(&unknown).await?;
        }
        Ok(answers)
    }

    /// Leases of a session that its worker did not name, although it had the time of a lease to.
    fn unknown(
        &self,
        beat: &Beat,
        leases: &BTreeMap<JobId, &Row>,
        lease_ms: u32,
    ) -> Vec<(JobId, Fence)> {
        let known: BTreeSet<JobId> = beat.held.iter().map(|(job, _)| *job).collect();
        let overdue = leases.iter().filter(|(job, row)| {
            let Ts(granted_at) = row.get("granted_at");
            !known.contains(job) && self.now().ms_since(granted_at) > u64::from(lease_ms)
        });
        overdue
            .map(|(job, row)| (*job, Fence(row.get("fence"))))
            .collect()
    }

    /// Ends the attempts of sessions that no heartbeat holds any more, at most `limit` of them.
    /// Returns how many ended.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] may be repeated.
    pub async fn sessions_reap(&self, limit: u32) -> Result<usize, StoreError> {
        let rows = self
            .query(
                include_str!("session/reap.sql"),
                &[&Ts(self.now()), &i64::from(limit)],
            )
            .await?;
        let held = rows.iter().filter_map(|row| {
            let job: Option<Uuid> = row.get("job_id");
            Option::zip(
                job.map(JobId),
                row.get::<_, Option<i64>>("fence").map(Fence),
            )
        });
        let ended = self.leases_expire(&held.collect::<Vec<_>>()).await?;
        let sessions: BTreeSet<Uuid> = rows.iter().map(|row| row.get("session_id")).collect();
        let sessions: Vec<Uuid> = sessions.into_iter().collect();
        self.execute(
            include_str!("session/close.sql"),
            &[&sessions, &Ts(self.now())],
        )
        .await?;
        Ok(ended)
    }

    /// Ends grants that were seen before their rows were locked. Meanwhile a job may have been given
    /// back and granted to somebody else: that grant has another fence and stays.
    async fn leases_expire(&self, seen: &[(JobId, Fence)]) -> Result<usize, StoreError> {
        if seen.is_empty() {
            return Ok(0);
        }
        let jobs: Vec<Uuid> = seen.iter().map(|(job, _)| job.0).collect();
        let mut leases = self.leases_lock(&jobs).await?;
        let mut moves = Vec::with_capacity(leases.len());
        for (job, fence) in seen {
            let Some((ticket, held)) = leases.remove(job) else {
                continue;
            };
            let event = Event::LeaseExpired { fence: *fence };
            let to = match held.state().apply(&ticket.rules()?, event, self.now()) {
                Ok(to) => to,
                Err(
                    TransitionError::LeaseLost
                    | TransitionError::NotReady { .. }
                    | TransitionError::Illegal { .. },
                ) => continue,
            };
            let detail = Some("no heartbeat came in time".to_owned());
            let class = Some(FailureClass::Crashed.as_str());
            moves.push(Move {
                ticket,
                held: Some(held),
                to,
                cause: "expired",
                reported: false,
                class,
                detail,
                result: None,
            });
        }
        let ended = moves.len();
        self.settle(moves).await?;
        Ok(ended)
    }
}

impl Store {
    /// Tenants with a session that no heartbeat holds any more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sessions_expired(&self) -> Result<Vec<TenantId>, StoreError> {
        let rows = self
            .sched()
            .await?
            .query(include_str!("session/expired.sql"), &[])
            .await?;
        Ok(rows
            .iter()
            .map(|row| TenantId(row.get("tenant_id")))
            .collect())
    }

    /// One pass of the reaper over a tenant, repeated while it meets other transactions.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reap(&self, tenant: TenantId, limit: u32) -> Result<usize, StoreError> {
        let caller = Caller::system(tenant);
        self.retrying(async || {
            let tx = self.begin(&caller).await?;
            let ended = tx.sessions_reap(limit).await?;
            tx.commit().await?;
            Ok(ended)
        })
        .await
    }
}

fn session_record(row: &Row) -> SessionRecord {
    SessionRecord {
        id: SessionId(row.get("session_id")),
        worker: row.get("worker"),
        lease_until: row.get::<_, Ts>("lease_until").0,
        leases: row.get::<_, i64>("leases").unsigned_abs(),
    }
}

fn session_lease(row: &Row) -> Result<SessionLease, StoreError> {
    Ok(SessionLease {
        job: JobId(row.get("job_id")),
        job_type: row.get("job_type"),
        granted_at: row.get::<_, Ts>("granted_at").0,
        under_way: under_way(row)?,
    })
}
