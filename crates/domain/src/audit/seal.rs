//! Sealing: the next rows of a tenant become links of its chain, under one signed checkpoint.

use super::chain;
use super::checkpoint::Checkpoint;
use super::merkle::Tree;
use super::row::AuditRow;
use crate::digest::Digest;
use crate::id::TenantId;
use crate::leader::Leader;
use crate::time::Timestamp;

/// Rows per batch: one short transaction.
pub const BATCH_MAX: u32 = 1_000;

/// Where a tenant's chain ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Head {
    /// How many rows are sealed.
    pub size: u64,
    /// The chain's hash there.
    pub hash: Digest,
    /// The digest of the last checkpoint's payload.
    pub checkpoint: Option<Digest>,
    /// The epoch it was sealed under; 0 before the first.
    pub epoch: u64,
}

impl Head {
    /// Of a tenant whose first row is not sealed yet.
    pub fn genesis(tenant: TenantId) -> Self {
        Self {
            size: 0,
            hash: chain::genesis(tenant),
            checkpoint: None,
            epoch: 0,
        }
    }
}

/// Why a batch must not be appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Refused {
    /// Another replica took over since, or the leader's time is over.
    #[error("the epoch {mine} does not lead any more")]
    NotLeader {
        /// The epoch the batch was made under.
        mine: u64,
    },
    /// The chain ends elsewhere than the batch begins.
    #[error("the chain has {found} rows, not the {expected} that the batch was made for")]
    Moved {
        /// The size the batch was made for.
        expected: u64,
        /// The size there is.
        found: u64,
    },
}

/// Whether a batch that continues `expected`, made under the epoch `mine`, may be appended at `now` to
/// the chain that ends in `stored`, while the leader's row is `leader`.
///
/// The write repeats both in its `WHERE`. The end of the chain alone would keep two batches from
/// standing in one place; the epoch keeps a sealer that was replaced, or whose database was restored
/// under it, from signing anything at all.
///
/// # Errors
/// [`Refused`]: nothing may be written.
pub fn admit(
    stored: &Head,
    expected: &Head,
    mine: u64,
    leader: Option<&Leader>,
    now: Timestamp,
) -> Result<(), Refused> {
    let leads = leader.is_some_and(|leader| leader.epoch == mine && now < leader.until);
    if !leads || stored.epoch > mine {
        return Err(Refused::NotLeader { mine });
    }
    if stored != expected {
        return Err(Refused::Moved {
            expected: expected.size,
            found: stored.size,
        });
    }
    Ok(())
}

/// What a row's seal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal {
    /// Its number in the tenant's chain, from 1.
    pub sequence: u64,
    /// The chain's hash at it.
    pub hash: Digest,
}

/// A batch, ready to be signed and appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The chain it continues.
    pub after: Head,
    /// One seal for each row, in order.
    pub seals: Vec<Seal>,
    /// What is to be signed.
    pub checkpoint: Checkpoint,
}

/// Seals rows, in the order given, as the continuation of `after`. `None` without rows.
pub fn seal(
    after: &Head,
    rows: &[AuditRow],
    origin: &str,
    tenant: TenantId,
    epoch: u64,
    now: Timestamp,
) -> Option<Batch> {
    let (mut tree, mut hash, mut sequence) = (Tree::default(), after.hash, after.size);
    let seals: Vec<Seal> = rows
        .iter()
        .map(|row| {
            let leaf = chain::leaf(&row.canonical());
            tree.push(leaf);
            hash = chain::link(&hash, &leaf);
            sequence += 1;
            Seal { sequence, hash }
        })
        .collect();
    let last = seals.last()?;
    let checkpoint = Checkpoint {
        origin: origin.to_owned(),
        tenant,
        first: after.size + 1,
        size: last.sequence,
        root: tree.root(),
        head: last.hash,
        prev: after.checkpoint,
        epoch,
        time: now,
    };
    Some(Batch {
        after: after.clone(),
        seals,
        checkpoint,
    })
}
