//! What workers say between claim and report: that they have begun, and how far they are.

use std::collections::BTreeMap;

use jobengine_domain::id::{JobId, RunId, SessionId};
use jobengine_domain::lease::Fence;
use jobengine_domain::time::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::caller::Tx;
use crate::draw::draw_many;
use crate::error::StoreError;
use crate::lease::LeaseToken;
use crate::ticket::unsigned;
use crate::ts::Ts;

/// A lease that a worker has proven to hold, until this transaction ends.
#[derive(Debug, Clone, Copy)]
pub struct HeldLease {
    /// The job.
    pub job: JobId,
    /// Its run, if any.
    pub run: Option<RunId>,
    /// Whose words count.
    pub fence: Fence,
    /// Which attempt.
    pub attempt: u32,
    /// Whether its worker has said that it has begun.
    pub started: bool,
}

/// How far a job is, in its worker's words.
#[derive(Debug, Clone)]
pub struct Progress {
    /// The lease under which it was said.
    pub lease: HeldLease,
    /// 0 to 1000.
    pub permille: u16,
    /// In a few words.
    pub note: Option<String>,
}

/// The same, once its lease was checked.
#[derive(Debug, Clone)]
pub(crate) struct Word {
    pub job: JobId,
    pub fence: Fence,
    pub permille: u16,
    pub note: Option<String>,
}

/// An attempt under way, as its worker tells of it.
#[derive(Debug, Clone)]
pub struct UnderWay {
    /// Which one.
    pub attempt: u32,
    /// Who makes it.
    pub session: SessionId,
    /// When its worker said that it has begun.
    pub started_at: Option<Timestamp>,
    /// How far it is: thousandths and a few words, and when that was said.
    pub progress: Option<(u16, Option<String>, Timestamp)>,
}

impl Tx {
    /// Checks which of the leases are held by these tokens, and keeps those from ending until this
    /// transaction does. The answers stand in the order of the question; `None`: lost.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] may be repeated.
    pub async fn leases_held(
        &self,
        asked: &[(JobId, LeaseToken)],
    ) -> Result<Vec<Option<HeldLease>>, StoreError> {
        let jobs: Vec<Uuid> = asked.iter().map(|(job, _)| job.0).collect();
        let rows = self
            .query(include_str!("progress/lock.sql"), &[&jobs])
            .await?;
        let leases: BTreeMap<JobId, _> = rows
            .iter()
            .map(|row| (JobId(row.get("job_id")), row))
            .collect();
        let held = |(job, token): &(JobId, LeaseToken)| {
            let row = leases.get(job)?;
            token.matches(row.get("token_hash")).then(|| {
                Ok(HeldLease {
                    job: *job,
                    run: row.get::<_, Option<Uuid>>("run_id").map(RunId),
                    fence: Fence(row.get("fence")),
                    attempt: unsigned(row.get("attempt"), "lease.attempt")?,
                    started: row.get("started"),
                })
            })
        };
        asked.iter().map(|it| held(it).transpose()).collect()
    }

    /// Notes that these attempts have begun, where that is news.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn leases_begin(&self, leases: &[HeldLease]) -> Result<(), StoreError> {
        let news: Vec<&HeldLease> = leases.iter().filter(|lease| !lease.started).collect();
        if news.is_empty() {
            return Ok(());
        }
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 5] = [
            &self.tenant().0,
            &news.iter().map(|lease| lease.job.0).collect::<Vec<_>>(),
            &news.iter().map(|lease| lease.fence.0).collect::<Vec<_>>(),
            &Ts(self.now()),
            &draw_many::<Uuid>(self.now(), news.len()),
        ];
        self.execute(include_str!("progress/begin.sql"), &params)
            .await?;
        self.note_event();
        Ok(())
    }

    /// Notes how far jobs are. Of several words on one job the last one counts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn leases_progress(&self, words: &[Progress]) -> Result<(), StoreError> {
        let words: Vec<Word> = words
            .iter()
            .map(|word| Word {
                job: word.lease.job,
                fence: word.lease.fence,
                permille: word.permille,
                note: word.note.clone(),
            })
            .collect();
        self.words_write(&words).await
    }

    pub(crate) async fn words_write(&self, words: &[Word]) -> Result<(), StoreError> {
        let last: BTreeMap<JobId, &Word> = words.iter().map(|word| (word.job, word)).collect();
        if last.is_empty() {
            return Ok(());
        }
        let words: Vec<&Word> = last.into_values().collect();
        let permille = |word: &&Word| i16::try_from(word.permille).unwrap_or(1_000).min(1_000);
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 5] = [
            &words.iter().map(|word| word.job.0).collect::<Vec<_>>(),
            &words.iter().map(|word| word.fence.0).collect::<Vec<_>>(),
            &words.iter().map(permille).collect::<Vec<_>>(),
            &words
                .iter()
                .map(|word| word.note.as_deref())
                .collect::<Vec<_>>(),
            &Ts(self.now()),
        ];
        self.execute(include_str!("progress/note.sql"), &params)
            .await?;
        Ok(())
    }

    /// The attempt at a job that is under way, as its worker tells of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn job_under_way(&self, job: JobId) -> Result<Option<UnderWay>, StoreError> {
        let row = self
            .query_opt(include_str!("progress/find.sql"), &[&job.0])
            .await?;
        row.as_ref().map(under_way).transpose()
    }

    /// Lets a crash lose what this transaction writes: for words that decide nothing, and that their
    /// worker says again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lose_on_crash(&self) -> Result<(), StoreError> {
        self.command("SET LOCAL synchronous_commit = off").await
    }
}

pub(crate) fn under_way(row: &Row) -> Result<UnderWay, StoreError> {
    let said_at = row.get::<_, Option<Ts>>("progress_at").map(|Ts(at)| at);
    let permille: Option<i16> = row.get("progress_permille");
    Ok(UnderWay {
        attempt: unsigned(row.get("attempt"), "lease.attempt")?,
        session: SessionId(row.get("session_id")),
        started_at: row.get::<_, Option<Ts>>("started_at").map(|Ts(at)| at),
        progress: permille
            .zip(said_at)
            .map(|(permille, at)| (permille.unsigned_abs(), row.get("progress_note"), at)),
    })
}
