//! The rows since the last checkpoint.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::super::chain::link;
use super::super::checkpoint::Checkpoint;
use super::super::finding::Fault;
use super::super::merkle::Tree;
use crate::digest::Digest;

/// Gaps and broken links remembered of one batch; a batch of the service has no more rows than this.
const REMEMBERED_MAX: usize = 1_000;

/// One finding about rows: what, which, and a sentence.
pub(super) type AboutRows = (Fault, (u64, u64), String);

/// Rows that wait for their checkpoint.
#[derive(Debug)]
pub(super) struct OpenBatch {
    /// Whether it is known where the chain is taken up.
    pub(super) anchored: bool,
    start: u64,
    at: u64,
    hash: Digest,
    tree: Tree,
    /// Rows that are missing so far, by the first of each gap.
    gaps: BTreeMap<u64, u64>,
    /// Rows whose hash does not follow from the row before.
    broken: Vec<u64>,
    /// Whether each row came in its turn.
    in_turn: bool,
}

impl Default for OpenBatch {
    fn default() -> Self {
        Self::after(0, Digest::of(b""))
    }
}

impl OpenBatch {
    /// Nothing yet, after the row number `size` whose hash is `hash`.
    pub(super) fn after(size: u64, hash: Digest) -> Self {
        Self {
            anchored: false,
            start: size,
            at: size,
            hash,
            tree: Tree::default(),
            gaps: BTreeMap::new(),
            broken: Vec::new(),
            in_turn: true,
        }
    }

    /// The highest number so far.
    pub(super) const fn at(&self) -> u64 {
        self.at
    }

    /// The rows that no checkpoint covers.
    pub(super) const fn uncovered(&self) -> Option<(u64, u64)> {
        if self.at > self.start {
            Some((self.start + 1, self.at))
        } else {
            None
        }
    }

    /// Takes the next row: its leaf, and the chain's hash as the export says it.
    pub(super) fn row(
        &mut self,
        sequence: u64,
        leaf: Digest,
        hash: Digest,
    ) -> Result<(), (Fault, String)> {
        if sequence <= self.at {
            self.in_turn = false;
            return Err(if self.fill(sequence) {
                (
                    Fault::Reordered,
                    format!("row {sequence} stands after row {}", self.at),
                )
            } else {
                (
                    Fault::Duplicated,
                    format!("row {sequence} is there once more"),
                )
            });
        }
        if sequence > self.at + 1 {
            if self.gaps.len() < REMEMBERED_MAX {
                self.gaps.insert(self.at + 1, sequence - 1);
            }
            self.in_turn = false;
        } else if link(&self.hash, &leaf) != hash && self.broken.len() < REMEMBERED_MAX {
            self.broken.push(sequence);
        }
        // The chain goes on from what the export says, so that the next row is judged by itself.
        self.hash = hash;
        self.at = sequence;
        self.tree.push(leaf);
        Ok(())
    }

    /// Takes a late row out of the gap it left; `false` when there is none.
    fn fill(&mut self, sequence: u64) -> bool {
        let Some((&first, &last)) = self.gaps.range(..=sequence).next_back() else {
            return false;
        };
        if sequence > last {
            return false;
        }
        self.gaps.remove(&first);
        if first < sequence {
            self.gaps.insert(first, sequence - 1);
        }
        if sequence < last {
            self.gaps.insert(sequence + 1, last);
        }
        true
    }

    /// Holds the rows against the checkpoint that ends them. `follows` says whether it is the next one:
    /// the Merkle root of another one is over other rows.
    pub(super) fn close(&self, checkpoint: &Checkpoint, follows: bool) -> Vec<AboutRows> {
        let mut found: Vec<AboutRows> = self
            .gaps
            .iter()
            .map(|(&first, &last)| {
                let detail = if first == last {
                    format!("row {first} is not there")
                } else {
                    format!("the rows {first} to {last} are not there")
                };
                (Fault::Removed, (first, last), detail)
            })
            .collect();
        let (first, last) = (checkpoint.first, checkpoint.size);
        let near = self.broken.first().map_or_else(String::new, |row| {
            format!(", and the chain breaks at row {row}")
        });
        match self.at.cmp(&last) {
            Ordering::Less => {
                let missing = last - self.at;
                let detail = format!("{missing} of the rows {first} to {last} are not there{near}");
                found.push((Fault::Removed, (first, last), detail));
            }
            Ordering::Greater => {
                let extra = self.at - last;
                let detail = format!(
                    "there are {extra} rows more than the {first} to {last} that were sealed{near}"
                );
                found.push((Fault::Inserted, (first, last), detail));
            }
            Ordering::Equal => {
                found.extend(self.broken.iter().map(|&row| {
                    let detail = format!("row {row} is not the one that was sealed");
                    (Fault::Edited, (row, row), detail)
                }));
                let same = self.hash == checkpoint.head
                    && (!follows || self.tree.root() == checkpoint.root);
                if found.is_empty() && self.in_turn && !same {
                    let detail =
                        format!("the rows {first} to {last} are not those that were signed");
                    found.push((Fault::Rewritten, (first, last), detail));
                }
            }
        }
        found
    }
}
