//! Completing impact runs: in the order of their generations, each in one transaction.

use jobengine_domain::digest::Digest;
use jobengine_domain::event::EventType;
use jobengine_domain::id::{RunId, SessionId, TenantId};

use crate::caller::Tx;
use crate::connect::Store;
use crate::debt::DebtRecord;
use crate::error::StoreError;
use crate::image::number;
use crate::job::digest;
use crate::ticket::unsigned;
use crate::ts::Ts;

/// An image of a run that completes.
#[derive(Debug, Clone)]
pub struct RunImage {
    /// Its bit in every bitmap.
    pub number: u32,
    /// Its digest.
    pub digest: Digest,
    /// Where it is pushed to; empty when nobody said.
    pub repository: String,
    /// The SBOM its findings were computed from before.
    pub before: Option<Digest>,
    /// The SBOM this run evaluated.
    pub pinned: Digest,
    /// Whether it has left the fleet since: its findings are nobody's.
    pub removed: bool,
}

/// One attempt at one segment.
#[derive(Debug, Clone)]
pub struct RunAttempt {
    /// The job's name within the run.
    pub job_key: String,
    /// Counted from 1.
    pub attempt: u32,
    /// How it ended.
    pub cause: String,
    /// The worker session that ran it.
    pub session: SessionId,
}

/// What a completed run leaves.
#[derive(Debug, Clone)]
pub struct Completion {
    /// Five numbers, as JSON.
    pub delta: String,
    /// The same image by image, as JSON.
    pub deltas: String,
    /// The signed event, as JSON.
    pub envelope: String,
    /// Images whose findings stand for the pinned SBOM now.
    pub evaluated: Vec<(Digest, Digest)>,
    /// How many images it left out.
    pub not_evaluated: u64,
    /// What is owed to its images now.
    pub debts: Vec<DebtRecord>,
    /// How many of them this run has left.
    pub left: usize,
    /// Images to which nothing is owed any more.
    pub paid: Vec<Digest>,
}

impl Tx {
    /// Locks the oldest impact run that has not completed, when its jobs have ended: its id and how
    /// the jobs' run ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn completion_next(&self) -> Result<Option<(RunId, String)>, StoreError> {
        let row = self
            .query_opt(include_str!("completion/next.sql"), &[])
            .await?;
        Ok(row.map(|row| (RunId(row.get("run_id")), row.get("state"))))
    }

    /// The images of a run, sorted by digest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn run_images(&self, run: RunId) -> Result<Vec<RunImage>, StoreError> {
        let rows = self
            .query(include_str!("completion/images.sql"), &[&run.0])
            .await?;
        rows.iter()
            .map(|row| {
                let before: Option<&[u8]> = row.get("evaluated_sbom");
                Ok(RunImage {
                    number: number(row.get("image_no"))?,
                    digest: digest(row.get("digest"), "image.digest")?,
                    repository: row.get("repository"),
                    before: before
                        .map(|bytes| digest(bytes, "image.evaluated_sbom"))
                        .transpose()?,
                    pinned: digest(row.get("pinned_sbom"), "run_input.digest")?,
                    removed: row.get("removed"),
                })
            })
            .collect()
    }

    /// Every attempt at the jobs of a run, by job and in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn run_attempts(&self, run: RunId) -> Result<Vec<RunAttempt>, StoreError> {
        let rows = self
            .query(include_str!("completion/workers.sql"), &[&run.0])
            .await?;
        rows.iter()
            .map(|row| {
                Ok(RunAttempt {
                    job_key: row.get("job_key"),
                    attempt: unsigned(row.get("attempt"), "outcome.attempt")?,
                    cause: row.get("cause"),
                    session: SessionId(row.get("session_id")),
                })
            })
            .collect()
    }

    /// Completes a run, with what is owed to its images from now on, and puts its signed event into the outbox.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it was completed already.
    pub async fn completion_save(
        &self,
        run: RunId,
        completion: &Completion,
    ) -> Result<(), StoreError> {
        let Completion {
            delta,
            deltas,
            envelope,
            evaluated,
            not_evaluated,
            debts,
            left,
            paid,
        } = completion;
        let not_evaluated = i64::try_from(*not_evaluated).unwrap_or(i64::MAX);
        let saved = self
            .query_opt(
                include_str!("completion/save.sql"),
                &[
                    &run.0,
                    &Ts(self.now()),
                    delta,
                    deltas,
                    envelope,
                    &not_evaluated,
                ],
            )
            .await?
            .ok_or(StoreError::Stale("the impact run"))?;
        let Ts(at) = saved.get("completed_at");
        let images: Vec<&[u8]> = evaluated
            .iter()
            .map(|(image, _)| image.as_bytes().as_slice())
            .collect();
        let sboms: Vec<&[u8]> = evaluated
            .iter()
            .map(|(_, sbom)| sbom.as_bytes().as_slice())
            .collect();
        self.execute(include_str!("completion/evaluated.sql"), &[&images, &sboms])
            .await?;
        self.debts_put(debts).await?;
        self.debts_remove(paid).await?;
        self.event_write_at(EventType::RunCompleted, Some(run), None, at)
            .await?;
        let at = at.after(at);
        if *left > 0 {
            let left = left.to_string();
            self.event_write_at(EventType::DebtLeft, Some(run), Some(&left), at)
                .await?;
        }
        let at = at.after(at);
        if !paid.is_empty() {
            let settled = paid.len().to_string();
            self.event_write_at(EventType::DebtPaid, Some(run), Some(&settled), at)
                .await?;
        }
        self.outbox_put("run-completion", &run.to_string(), envelope.as_bytes())
            .await
    }
}

impl Store {
    /// Tenants with an impact run that has not completed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tenants_completing(&self) -> Result<Vec<TenantId>, StoreError> {
        let rows = self
            .sched()
            .await?
            .query(include_str!("completion/tenants.sql"), &[])
            .await?;
        Ok(rows
            .iter()
            .map(|row| TenantId(row.get("tenant_id")))
            .collect())
    }
}
