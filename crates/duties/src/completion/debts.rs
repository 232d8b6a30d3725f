//! What is owed to the images of a run once it has completed.

use std::collections::{BTreeMap, BTreeSet};

use jobengine_domain::digest::Digest;
use jobengine_domain::priority::Priority;
use jobengine_domain::state::JobState;
use jobengine_impact::debt::{Debt, due_after_ms};
use jobengine_impact::evaluate::Scope;
use jobengine_store::{DebtRecord, ImpactRunRecord, StoreError, Tx, segment_name};

use super::Merged;

/// The reason of a debt whose segment succeeded.
const UNUSABLE: &str = "unusable";

/// Debts that stand after a run, and images that are owed nothing any more.
#[derive(Debug, Default)]
pub(super) struct Debts {
    pub owed: Vec<DebtRecord>,
    pub paid: Vec<Digest>,
}

impl Debts {
    /// Runs complete in the order of their generations, so every debt that stands was left by an older one: what
    /// this run has evaluated, it has evaluated over inputs that came later.
    pub(super) async fn settle(
        tx: &Tx,
        run: &ImpactRunRecord,
        merged: &Merged,
    ) -> Result<Self, StoreError> {
        // Nothing is owed to an image that has left the fleet.
        let standing = merged.images.iter().filter(|image| !image.removed);
        let standing: BTreeSet<Digest> = standing.map(|image| image.digest).collect();
        let images: Vec<Digest> = standing.iter().copied().collect();
        let before = tx.debts_get(&images).await?;
        let mut before: BTreeMap<Digest, DebtRecord> = before
            .into_iter()
            .map(|record| (record.debt.image, record))
            .collect();
        let ends: BTreeMap<String, JobState> = if standing.is_subset(&merged.done) {
            BTreeMap::new()
        } else {
            let plan = tx.run_plan(run.id).await?;
            plan.into_iter()
                .map(|node| (node.key, node.state))
                .collect()
        };
        let priority: Priority = run.priority.parse().map_err(|_| StoreError::Corrupt {
            place: "impact_run.priority",
        })?;
        let mut debts = Self::default();
        for segment in &merged.segments {
            let scope = if segment.scope_all {
                &Scope::All
            } else {
                &merged.narrow
            };
            let reason = ends
                .get(&segment_name(segment.ordinal))
                .map_or(UNUSABLE, reason);
            for image in &segment.images {
                if !standing.contains(image) {
                    continue;
                }
                let prior = before.remove(image);
                if merged.done.contains(image) {
                    debts.pay(prior, scope, run);
                } else {
                    let left = Debt::left(*image, scope.clone(), run.generation, priority, reason);
                    debts.leave(tx, prior, left, run);
                }
            }
        }
        Ok(debts)
    }

    fn pay(&mut self, prior: Option<DebtRecord>, done: &Scope, run: &ImpactRunRecord) {
        let Some(prior) = prior else { return };
        let image = prior.debt.image;
        match prior.debt.paid(done) {
            None => self.paid.push(image),
            Some(debt) => self.owed.push(DebtRecord {
                debt,
                paid_by: prior.paid_by.filter(|paying| *paying != run.id),
                ..prior
            }),
        }
    }

    fn leave(&mut self, tx: &Tx, prior: Option<DebtRecord>, left: Debt, run: &ImpactRunRecord) {
        let (opened_at, paid_by) = prior.as_ref().map_or((tx.now(), None), |prior| {
            let others = prior.paid_by.filter(|paying| *paying != run.id);
            (prior.opened_at, others)
        });
        let debt = match prior {
            Some(prior) => prior.debt.again(left),
            None => left,
        };
        let due_at = tx.now().plus_ms(due_after_ms(run.id, debt.tries));
        self.owed.push(DebtRecord {
            debt,
            opened_at,
            due_at,
            paid_by,
        });
    }
}

/// Why a segment left its images out, by how its job ended.
fn reason(end: &JobState) -> &'static str {
    match end {
        JobState::Succeeded => UNUSABLE,
        other => other.as_str(),
    }
}
