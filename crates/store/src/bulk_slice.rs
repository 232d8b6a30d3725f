//! One slice of a bulk action: done as whoever asked for it, with its audit row and the progress in one
//! transaction. Whoever dies in the middle has done nothing of it.

use jobengine_domain::caller::Caller;
use jobengine_domain::id::{JobId, TenantId};

use crate::act::Effect;
use crate::bulk::BulkRecord;
use crate::caller::Tx;
use crate::connect::Store;
use crate::debt::EVALUATE;
use crate::error::StoreError;
use crate::ready::ReadyJobs;
use crate::replay::Replayed;
use crate::retry::Wish;

/// What a slice came to.
#[derive(Debug)]
pub struct BulkSlice {
    /// Things it was about.
    pub items: usize,
    /// Jobs that it made ready.
    pub ready: Vec<ReadyJobs>,
}

impl Store {
    /// Does the next slice of the oldest bulk action of a tenant; `None` when none is left that another
    /// replica has not taken.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bulk_slice(&self, tenant: TenantId) -> Result<Option<BulkSlice>, StoreError> {
        let caller = Caller::system(tenant);
        self.retrying(async || {
            let tx = self.begin(&caller).await?;
            let Some((bulk, ordinal, jobs)) = tx.bulk_next().await? else {
                tx.commit().await?;
                return Ok(None);
            };
            let done = carry_out(&tx, &bulk, &jobs).await?;
            if let (Some(first), Some(last)) = (jobs.first(), jobs.last()) {
                record(&tx, &bulk, ordinal, *first, *last).await?;
            }
            let failed = jobs.len().saturating_sub(done);
            tx.bulk_progress(bulk.id, done, failed).await?;
            let ready = tx.ready();
            tx.commit().await?;
            let items = jobs.len();
            Ok(Some(BulkSlice { items, ready }))
        })
        .await
    }
}

/// Does the action to some jobs; returns to how many of them. The others are no longer as it needs them.
async fn carry_out(tx: &Tx, bulk: &BulkRecord, jobs: &[JobId]) -> Result<usize, StoreError> {
    let (by, reason) = (bulk.act.subject.as_str(), bulk.act.reason.as_deref());
    match bulk.action.as_str() {
        "cancel" => tx.jobs_cancel(jobs).await,
        "retry" => {
            let mut done = 0;
            for job in jobs {
                done += usize::from(matches!(tx.job_retry(*job).await?, Some(Wish::Done(_))));
            }
            Ok(done)
        }
        "prioritize" => {
            let band = bulk.priority.ok_or(StoreError::Corrupt {
                place: "bulk_action.priority",
            })?;
            let mut done = 0;
            for job in jobs {
                let wish = tx.job_prioritize(*job, band).await?;
                done += usize::from(matches!(wish, Some(Wish::Done(_))));
            }
            Ok(done)
        }
        "replay" => {
            let open = if bulk.target == "deadLetters" {
                tx.dead_letters_lock(jobs).await?
            } else {
                jobs.to_vec()
            };
            let mut replays = tx.replays(&open).await?;
            // A segment of an impact run is nothing outside of it: what it left out is planned again by itself.
            replays.retain(|job| job.job_type != EVALUATE);
            let replayed = Replayed {
                by,
                reason,
                payload_diff: None,
            };
            Ok(tx.jobs_replay(&replays, &replayed).await?.len())
        }
        "discard" => {
            let discarded = tx.dead_letters_discard(jobs, by, reason).await?;
            Ok(usize::try_from(discarded).unwrap_or(jobs.len()))
        }
        _ => Err(StoreError::Corrupt {
            place: "bulk_action.action",
        }),
    }
}

/// The audit row of a slice: of the principal who asked for the action.
async fn record(
    tx: &Tx,
    bulk: &BulkRecord,
    ordinal: i32,
    first: JobId,
    last: JobId,
) -> Result<(), StoreError> {
    let slice = format!("{}/{ordinal}:{first}..{last}", bulk.id);
    tx.acts_record(&[Effect {
        act: &bulk.act,
        object_kind: "bulk_slice",
        object_id: &slice,
        before: None,
        after: Some(bulk.plan),
        status: 200,
        answer: Vec::new(),
    }])
    .await
}
