//! Checkpoints that were kept outside the database: history must continue each of them.

use std::collections::BTreeMap;

use super::super::checkpoint::Checkpoint;
use super::super::finding::Fault;
use crate::digest::Digest;
use crate::id::TenantId;

/// What is wrong with one that was not met: what, which rows, and a sentence.
type Unmet = (Fault, Option<(u64, u64)>, String);

/// The checkpoints held, by their size.
#[derive(Debug)]
pub(super) struct Held {
    waiting: BTreeMap<u64, Vec<Checkpoint>>,
    met: u64,
}

impl Held {
    pub(super) fn new(checkpoints: Vec<Checkpoint>) -> Self {
        let mut waiting: BTreeMap<u64, Vec<Checkpoint>> = BTreeMap::new();
        for checkpoint in checkpoints {
            waiting.entry(checkpoint.size).or_default().push(checkpoint);
        }
        Self { waiting, met: 0 }
    }

    /// How many were met and agreed.
    pub(super) const fn met(&self) -> u64 {
        self.met
    }

    /// Those of another installation or tenant: they say nothing about this export.
    pub(super) fn foreign(&mut self, origin: &str, tenant: TenantId) -> Vec<(Fault, String)> {
        let mut found = Vec::new();
        for held in self.waiting.values_mut() {
            held.retain(|held| {
                if held.tenant != tenant {
                    let detail = format!(
                        "the checkpoint held at {} is of the tenant {}",
                        held.size, held.tenant
                    );
                    found.push((Fault::WrongTenant, detail));
                } else if held.origin != origin {
                    let detail = format!(
                        "the checkpoint held at {} is of the installation {}",
                        held.size, held.origin
                    );
                    found.push((Fault::WrongOrigin, detail));
                }
                held.tenant == tenant && held.origin == origin
            });
        }
        found
    }

    /// The chain's hash at a number: says what is wrong when a held checkpoint knows another.
    pub(super) fn meet(&mut self, size: u64, head: &Digest) -> Option<String> {
        let waiting = self.waiting.remove(&size)?;
        let all = waiting.len();
        let agree = waiting
            .into_iter()
            .filter(|checkpoint| checkpoint.head == *head)
            .count();
        self.met += agree as u64;
        (agree < all).then(|| {
            format!("the checkpoint held at {size} was made over other rows: history was rolled back and continued otherwise")
        })
    }

    /// Those that the export said nothing about.
    pub(super) fn unmet(&self, first: u64, end: u64) -> Vec<Unmet> {
        let sizes = self.waiting.iter().filter(|(_, held)| !held.is_empty());
        sizes
            .map(|(&size, _)| {
                if size > end {
                    (
                        Fault::RolledBack,
                        Some((end + 1, size)),
                        format!("the export ends after row {end}, before the checkpoint held at {size}"),
                    )
                } else if size < first {
                    (
                        Fault::NotCompared,
                        None,
                        format!("the export begins with row {first}, after the checkpoint held at {size}"),
                    )
                } else {
                    (
                        Fault::NotCompared,
                        Some((size, size)),
                        format!("row {size}, up to which a checkpoint is held, is not there"),
                    )
                }
            })
            .collect()
    }
}
