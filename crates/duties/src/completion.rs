//! Completes impact runs: findings take effect, what changed is summed up, signed and sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jobengine_domain::caller::Caller;
use jobengine_domain::canon::canonical;
use jobengine_domain::digest::Digest;
use jobengine_domain::dsse::SigningKey;
use jobengine_domain::id::{RunId, TenantId};
use jobengine_domain::statement::STATEMENT_PAYLOAD_TYPE;
use jobengine_impact::completion::{ImageDelta, RunCompletion, SegmentAttempt, statement};
use jobengine_impact::evaluate::Scope;
use jobengine_impact::finding::FindingSets;
use jobengine_impact::package::PackageKey;
use jobengine_impact::segment::Segment;
use jobengine_impact::segment_result::{ARTIFACT, SegmentResult};
use jobengine_impact::summary::DeltaSummary;
use jobengine_store::{Completion, ImpactRunRecord, RunImage, Store, StoreError, Tx, segment_name};
use serde::Serialize;

use crate::driver::{Duty, Report};
use crate::scheduler_metrics::{Completed, SchedulerMetrics};
use crate::tenants::each;

mod debts;

use debts::Debts;

/// Completes the runs of every tenant, each in the order of its generations.
#[derive(Debug)]
pub struct Completing {
    store: Store,
    key: Arc<SigningKey>,
    metrics: SchedulerMetrics,
}

impl Completing {
    /// Completes runs in `store`, signs with `key`, and records in `metrics`.
    pub const fn new(store: Store, key: Arc<SigningKey>, metrics: SchedulerMetrics) -> Self {
        Self {
            store,
            key,
            metrics,
        }
    }

    async fn complete_next(&self, tenant: TenantId) -> Result<Report, StoreError> {
        let tx = self.store.begin(&Caller::system(tenant)).await?;
        let Some((run, result)) = tx.completion_next().await? else {
            return tx.commit().await.map(|()| Report::default());
        };
        let Some(record) = tx.impact_run_find(run).await? else {
            self.metrics.run_missing();
            return Err(StoreError::Missing("the impact run"));
        };
        tx.findings_lock().await?;
        let merged = Merged::read(&tx, &record).await?;
        let (statement, deltas) = merged.statement(&tx, &record, result).await?;
        let debts = Debts::settle(&tx, &record, &merged).await?;
        let (owed, paid) = (debts.owed.len(), debts.paid.len());
        let completed = Completed {
            mode: record.mode,
            result: statement.predicate.result.clone(),
            took: tx.now().since(record.created_at),
            segments_kept: merged.kept,
            segments_unusable: merged.unusable,
            images: merged.done.len() as u64,
            images_changed: deltas.len() as u64,
            delta: statement.predicate.delta,
        };
        let payload = evidence(&statement)?;
        let envelope = self.key.sign(STATEMENT_PAYLOAD_TYPE, payload.as_bytes());
        let completion = Completion {
            delta: evidence(&statement.predicate.delta)?,
            deltas: evidence(&deltas)?,
            envelope: evidence(&envelope)?,
            evaluated: merged
                .evaluated()
                .filter(|image| !image.removed && merged.whole.contains(&image.digest))
                .map(|image| (image.digest, image.pinned))
                .collect(),
            not_evaluated: statement.predicate.images_not_evaluated.len() as u64,
            left: (debts.owed.iter())
                .filter(|owed| owed.debt.last == record.generation)
                .count(),
            debts: debts.owed,
            paid: debts.paid,
        };
        if let Err(error) = save(tx, run, &merged, &completion).await {
            self.metrics.not_persisted(&completed);
            return Err(error);
        }
        self.metrics.completed(&completed);
        let DeltaSummary {
            new,
            fixed,
            critical,
            high,
            kev,
        } = statement.predicate.delta;
        tracing::info!(tenant = %tenant, run = %run, new, fixed, critical, high, kev, "run {run} completed: {new} new, {fixed} fixed");
        if owed + paid > 0 {
            tracing::warn!(tenant = %tenant, run = %run, owed, paid, "after run {run} {owed} of its images are owed an evaluation, {paid} no longer");
        }
        Ok(Report {
            done: 1,
            more: true,
        })
    }
}

impl Duty for Completing {
    const NAME: &'static str = "completion";

    async fn activate(&self) -> Result<Report, StoreError> {
        let tenants = self.store.tenants_completing().await?;
        if tenants.is_empty() {
            self.metrics.idle();
            return Ok(Report::default());
        }
        let report = each(Self::NAME, tenants, |tenant| self.complete_next(tenant)).await?;
        self.metrics.refresh(&self.store).await?;
        Ok(report)
    }
}

async fn save(
    tx: Tx,
    run: RunId,
    merged: &Merged,
    completion: &Completion,
) -> Result<(), StoreError> {
    tx.findings_replace(&merged.before, &merged.after).await?;
    tx.completion_save(run, completion).await?;
    tx.commit().await
}

/// The findings of a run's images before it, and after.
struct Merged {
    images: Vec<RunImage>,
    done: BTreeSet<Digest>,
    /// Images evaluated for every package: only their findings stand for the pinned SBOM. A run that
    /// looks at some packages may pin an SBOM that came after its delta, and was not evaluated yet.
    whole: BTreeSet<Digest>,
    before: FindingSets,
    after: FindingSets,
    /// Segments whose findings are among those after.
    kept: u64,
    /// Segments whose result cannot be used.
    unusable: u64,
    segments: Vec<Segment>,
    /// What segments evaluate that do not look at everything.
    narrow: Scope,
}

impl Merged {
    async fn read(tx: &Tx, record: &ImpactRunRecord) -> Result<Self, StoreError> {
        let run = record.id;
        let images = tx.run_images(run).await?;
        let packages = record
            .packages
            .iter()
            .map(|package| package.parse())
            .collect::<Result<_, _>>();
        let packages: BTreeSet<PackageKey> = packages.map_err(|_| StoreError::Corrupt {
            place: "impact_run.packages",
        })?;
        let mut results = tx
            .run_artifacts(run, ARTIFACT)
            .await?
            .into_iter()
            .collect::<BTreeMap<_, _>>();
        let segments = tx.segments_get(run, None).await?;
        let whole: BTreeSet<Digest> = segments
            .iter()
            .filter(|part| part.scope_all)
            .flat_map(|part| part.images.iter().copied())
            .collect();
        let sboms = images.iter().filter(|image| whole.contains(&image.digest));
        let sboms = sboms
            .flat_map(|image| [image.before, Some(image.pinned)])
            .flatten()
            .collect();
        let touched: BTreeSet<PackageKey> = tx
            .sbom_packages(&sboms)
            .await?
            .union(&packages)
            .cloned()
            .collect();
        let before = tx.findings_get(&touched).await?;
        let mut after = before.clone();
        let numbers: BTreeMap<Digest, u32> = images
            .iter()
            .filter(|image| !image.removed)
            .map(|image| (image.digest, image.number))
            .collect();
        let mut done = BTreeSet::new();
        let (mut kept, mut unusable) = (0, 0);
        let narrow = Scope::Packages(packages);
        for segment in &segments {
            let Some(body) = results.remove(&segment_name(segment.ordinal)) else {
                continue;
            };
            // A result that cannot be read, or speaks of other images, is as good as none: the worker
            // that made it is no better than its report.
            let Some(result) = SegmentResult::read(&body)
                .ok()
                .filter(|result| result.images == segment.images)
            else {
                tracing::warn!(run = %run, segment = segment.ordinal, "the segment's result cannot be used");
                unusable += 1;
                continue;
            };
            // An image that has left the fleet meanwhile has no number here, and no findings.
            let standing = segment.images.iter();
            let names: Vec<(String, u32)> = standing
                .filter_map(|image| Some((image.to_string(), *numbers.get(image)?)))
                .collect();
            let names = names
                .iter()
                .map(|(name, number)| (name.as_str(), *number))
                .collect();
            let scope = if segment.scope_all {
                &Scope::All
            } else {
                &narrow
            };
            after.replace(&names, scope, &result.findings());
            done.extend(&segment.images);
            kept += 1;
        }
        Ok(Self {
            images,
            done,
            whole,
            before,
            after,
            kept,
            unusable,
            segments,
            narrow,
        })
    }

    fn evaluated(&self) -> impl Iterator<Item = &RunImage> {
        self.images
            .iter()
            .filter(|image| self.done.contains(&image.digest))
    }

    async fn statement(
        &self,
        tx: &Tx,
        record: &ImpactRunRecord,
        result: String,
    ) -> Result<
        (
            jobengine_domain::statement::Statement<RunCompletion>,
            Vec<ImageDelta>,
        ),
        StoreError,
    > {
        let run = record.id;
        let by_image = DeltaSummary::by_image(&self.before, &self.after);
        let deltas: Vec<ImageDelta> = self
            .images
            .iter()
            .filter_map(|image| {
                by_image.get(&image.number).map(|delta| ImageDelta {
                    image: image.digest,
                    delta: *delta,
                })
            })
            .collect();
        let attempts = tx
            .run_attempts(run)
            .await?
            .into_iter()
            .map(|attempt| SegmentAttempt {
                segment: attempt.job_key,
                attempt: attempt.attempt,
                outcome: attempt.cause,
                worker: attempt.session,
            });
        let completion = RunCompletion {
            tenant_id: tx.tenant(),
            run_id: run,
            generation: record.generation,
            mode: record.mode.clone(),
            result,
            plan_digest: record.plan,
            inputs_digest: record.inputs,
            advisories_changed: record.advisories_changed,
            images_total: record.images_total,
            images_evaluated: self.done.len() as u64,
            images_not_evaluated: self
                .images
                .iter()
                .map(|image| image.digest)
                .filter(|image| !self.done.contains(image))
                .collect(),
            delta: DeltaSummary::between(&self.before, &self.after),
            images: deltas.clone(),
            leases_expired: record.leases_expired,
            attempts: attempts.collect(),
        };
        let named = self.evaluated().map(|image| {
            let name = if image.repository.is_empty() {
                image.digest.to_string()
            } else {
                image.repository.clone()
            };
            (name, image.digest)
        });
        Ok((statement(named, completion), deltas))
    }
}

/// Canonical JSON text: what is signed, and what is stored of it.
fn evidence(value: &impl Serialize) -> Result<String, StoreError> {
    let bytes = canonical(value).map_err(|_| StoreError::Corrupt {
        place: "impact_run.envelope",
    })?;
    String::from_utf8(bytes).map_err(|_| StoreError::Corrupt {
        place: "impact_run.envelope",
    })
}
