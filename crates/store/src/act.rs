//! Acts: what a caller changes, why, and under which key. Each leaves an audit row and, when it has a key,
//! the answer it was given, in the transaction of the change (`docs/adr/0009`).

use std::net::IpAddr;

use jobengine_domain::digest::Digest;
use jobengine_domain::id::AuditId;
use jobengine_domain::idempotency::Remembered;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::caller::Tx;
use crate::draw::draw_many;
use crate::error::StoreError;
use crate::job::digest;
use crate::ts::Ts;

/// What a caller asks to change.
#[derive(Debug, Clone)]
pub struct Act {
    /// The principal.
    pub subject: String,
    /// How it proved who it is.
    pub credential: String,
    /// The operation's name in the contract.
    pub operation: String,
    /// The scope by which it may.
    pub scope: String,
    /// Why, in the caller's words.
    pub reason: Option<String>,
    /// Where that is written down.
    pub ticket: Option<String>,
    /// The request.
    pub request_id: String,
    /// Whatever the caller is doing.
    pub correlation_id: String,
    /// Where the request came from.
    pub source: Option<IpAddr>,
    /// The caller's name for this request, if it gave one.
    pub key: Option<ActKey>,
}

/// The name of a request, and what was asked under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActKey {
    /// SHA-256 of the caller's key, and of its project if it is bound to one: the key itself is not stored.
    pub hash: Digest,
    /// Digest of path, parameters and body.
    pub request: Digest,
}

/// What a request under the same key was answered.
#[derive(Debug, Clone)]
pub struct Answered {
    /// What was asked, and until when that counts.
    pub remembered: Remembered,
    /// The HTTP status.
    pub status: u16,
    /// The answer, as [`Effect::answer`] gave it.
    pub answer: Vec<u8>,
}

/// What became of an act.
#[derive(Debug, Clone)]
pub struct Effect<'a> {
    /// The act.
    pub act: &'a Act,
    /// What kind of object was changed: `job`, `run`, `webhook`, …
    pub object_kind: &'a str,
    /// Which one; `FIRST..LAST` for a batch of new ones.
    pub object_id: &'a str,
    /// The object as it was.
    pub before: Option<Digest>,
    /// What was answered, or the object as it is now.
    pub after: Option<Digest>,
    /// The HTTP status.
    pub status: u16,
    /// The answer, sealed by the caller of this crate; kept only when the act has a key.
    pub answer: Vec<u8>,
}

impl<'a> Effect<'a> {
    /// Of a worker that speaks under its lease: the fence makes a repeat harmless, no answer is kept.
    pub fn granted(act: &'a Act, kind: &'a str, id: &'a str, after: Digest) -> Self {
        Self {
            act,
            object_kind: kind,
            object_id: id,
            before: None,
            after: Some(after),
            status: 200,
            answer: Vec::new(),
        }
    }
}

impl Tx {
    /// Locks the keys of some acts until the end of the transaction and reads what is remembered under them;
    /// the answers stand in the order of the acts. An answer that no longer counts is forgotten by
    /// [`Tx::act_forget`] before its key is used again.
    ///
    /// # Errors
    /// [`StoreError::InProgress`] when a twin holds a key for longer than a lock is waited for.
    pub async fn acts_answered(&self, acts: &[&Act]) -> Result<Vec<Option<Answered>>, StoreError> {
        if acts.iter().all(|act| act.key.is_none()) {
            return Ok(vec![None; acts.len()]);
        }
        let keys = Keys::of(acts);
        let mut locks: Vec<i64> = acts
            .iter()
            .filter_map(|act| self.lock_number(act))
            .collect();
        locks.sort_unstable();
        locks.dedup();
        // The second statement sees what the first one waited for.
        let find: [&(dyn ToSql + Sync); 4] = [
            &keys.numbers,
            &keys.subjects,
            &keys.operations,
            &keys.hashes,
        ];
        let lock: [&(dyn ToSql + Sync); 1] = [&locks];
        let (locked, found) = tokio::join!(
            biased;
            self.query(include_str!("act/lock.sql"), &lock),
            self.query(include_str!("act/find.sql"), &find)
        );
        locked.map_err(in_progress)?;
        let mut answers = vec![None; acts.len()];
        for row in found? {
            let number: i64 = row.get("number");
            let status: i16 = row.get("status");
            let Ts(expires_at) = row.get("expires_at");
            let place = usize::try_from(number)
                .ok()
                .and_then(|at| answers.get_mut(at));
            *place.ok_or(StoreError::Corrupt {
                place: "idempotency.number",
            })? = Some(Answered {
                remembered: Remembered {
                    request: digest(row.get("request_digest"), "idempotency.request_digest")?,
                    expires_at,
                },
                status: status.unsigned_abs(),
                answer: row.get("answer"),
            });
        }
        Ok(answers)
    }

    /// Forgets what is remembered under the key of an act.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn act_forget(&self, act: &Act) -> Result<(), StoreError> {
        if let Some(key) = &act.key {
            let hash = key.hash.as_bytes().as_slice();
            let params: [&(dyn ToSql + Sync); 3] = [&act.subject, &act.operation, &hash];
            self.execute(include_str!("act/forget.sql"), &params)
                .await?;
        }
        Ok(())
    }

    /// Writes the audit rows of some acts and remembers what those with keys were answered.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a twin was faster: repeat, and its answer is found.
    pub async fn acts_record(&self, effects: &[Effect<'_>]) -> Result<(), StoreError> {
        if effects.is_empty() {
            return Ok(());
        }
        let (audit, keyed) = tokio::join!(
            biased;
            self.audit_write(effects),
            self.answers_write(effects)
        );
        audit?;
        keyed
    }

    async fn audit_write(&self, effects: &[Effect<'_>]) -> Result<(), StoreError> {
        let column = |of: fn(&Act) -> &str| effects.iter().map(|it| of(it.act)).collect::<Vec<_>>();
        let option =
            |of: fn(&Act) -> Option<&str>| effects.iter().map(|it| of(it.act)).collect::<Vec<_>>();
        let digests = |of: fn(&Effect<'_>) -> Option<Digest>| {
            let bytes = effects
                .iter()
                .map(|it| of(it).map(|digest| digest.as_bytes().to_vec()));
            bytes.collect::<Vec<_>>()
        };
        let ids: Vec<AuditId> = draw_many(self.now(), effects.len());
        let params: [&(dyn ToSql + Sync); 16] = [
            &self.tenant().0,
            &Ts(self.now()),
            &ids.iter().map(|id| id.0).collect::<Vec<Uuid>>(),
            &column(|act| &act.subject),
            &column(|act| &act.credential),
            &column(|act| &act.operation),
            &column(|act| &act.scope),
            &effects.iter().map(|it| it.object_kind).collect::<Vec<_>>(),
            &effects.iter().map(|it| it.object_id).collect::<Vec<_>>(),
            &digests(|it| it.before),
            &digests(|it| it.after),
            &option(|act| act.reason.as_deref()),
            &option(|act| act.ticket.as_deref()),
            &column(|act| &act.request_id),
            &column(|act| &act.correlation_id),
            &effects
                .iter()
                .map(|it| it.act.source.map(|address| address.to_string()))
                .collect::<Vec<_>>(),
        ];
        self.execute(include_str!("act/audit.sql"), &params).await?;
        Ok(())
    }

    async fn answers_write(&self, effects: &[Effect<'_>]) -> Result<(), StoreError> {
        let keyed: Vec<(&Effect<'_>, &ActKey)> = effects
            .iter()
            .filter_map(|it| it.act.key.as_ref().map(|key| (it, key)))
            .collect();
        if keyed.is_empty() {
            return Ok(());
        }
        let acts: Vec<&Act> = keyed.iter().map(|(it, _)| it.act).collect();
        let keys = Keys::of(&acts);
        let requests: Vec<&[u8]> = keyed
            .iter()
            .map(|(_, key)| key.request.as_bytes().as_slice())
            .collect();
        let statuses: Vec<i16> = keyed
            .iter()
            .map(|(it, _)| i16::try_from(it.status).expect("a status has three digits"))
            .collect();
        let answers: Vec<&[u8]> = keyed.iter().map(|(it, _)| it.answer.as_slice()).collect();
        let until = Remembered::new(Digest::of(b""), self.now()).expires_at;
        let params: [&(dyn ToSql + Sync); 8] = [
            &self.tenant().0,
            &Ts(until),
            &keys.subjects,
            &keys.operations,
            &keys.hashes,
            &requests,
            &statuses,
            &answers,
        ];
        match self
            .execute(include_str!("act/remember.sql"), &params)
            .await
        {
            Err(StoreError::Refused(error))
                if error.code() == Some(&SqlState::UNIQUE_VIOLATION) =>
            {
                Err(StoreError::Conflict(error))
            }
            other => other.map(drop),
        }
    }

    /// The lock of an act's key: only a way to wait for a twin. What guards the record is its primary key.
    fn lock_number(&self, act: &Act) -> Option<i64> {
        let key = act.key.as_ref()?;
        let mut text = self.tenant().0.as_bytes().to_vec();
        for part in [act.subject.as_bytes(), act.operation.as_bytes()] {
            text.extend_from_slice(part);
            text.push(0);
        }
        text.extend_from_slice(key.hash.as_bytes());
        let first = Digest::of(&text).as_bytes()[..8].try_into();
        Some(i64::from_be_bytes(first.expect("eight bytes of 32")))
    }
}

/// The keys of the acts that have one, as columns.
struct Keys<'a> {
    numbers: Vec<i64>,
    subjects: Vec<&'a str>,
    operations: Vec<&'a str>,
    hashes: Vec<&'a [u8]>,
}

impl<'a> Keys<'a> {
    fn of(acts: &[&'a Act]) -> Self {
        let mut keys = Self {
            numbers: Vec::new(),
            subjects: Vec::new(),
            operations: Vec::new(),
            hashes: Vec::new(),
        };
        for (number, act) in (0..).zip(acts) {
            if let Some(key) = &act.key {
                keys.numbers.push(number);
                keys.subjects.push(&act.subject);
                keys.operations.push(&act.operation);
                keys.hashes.push(key.hash.as_bytes());
            }
        }
        keys
    }
}

fn in_progress(error: StoreError) -> StoreError {
    match error {
        StoreError::Conflict(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
            StoreError::InProgress(error)
        }
        other => other,
    }
}
