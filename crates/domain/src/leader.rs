//! Who leads a duty that only one replica should do at a time.
//!
//! Leadership saves work; it never guards safety. What must have a single writer names the epoch in
//! the `WHERE` of its write, so that a leader who slept through its time is refused.

use uuid::Uuid;

use crate::time::Timestamp;

/// How long a leader leads without saying so again.
pub const LEADER_MS: u64 = 10_000;

/// Who leads, as the row of the duty says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Leader {
    /// Rises at every take-over, and is never given twice.
    pub epoch: u64,
    /// The replica that leads, or led.
    pub holder: Uuid,
    /// The first moment at which another may take over.
    pub until: Timestamp,
}

/// What a replica that would lead may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bid {
    /// It leads already: extend its time under the same epoch.
    Keep(Leader),
    /// Nobody leads: take over, under a new epoch.
    Take(Leader),
    /// Another leads until then.
    Wait(Timestamp),
}

/// Decides what `replica` may do about the row it found, at the database's `now`.
///
/// A leader whose time is over takes over from itself: somebody may have led in between. The epoch
/// is the clock in milliseconds, or one more than the last one where the clock stands behind: a
/// database that was restored to an earlier day does not give an epoch again that the lost days had.
pub fn bid(row: Option<&Leader>, replica: Uuid, now: Timestamp) -> Bid {
    let until = now.plus_ms(LEADER_MS);
    match row {
        Some(leader) if now < leader.until && leader.holder == replica => {
            Bid::Keep(Leader { until, ..*leader })
        }
        Some(leader) if now < leader.until => Bid::Wait(leader.until),
        Some(_) | None => Bid::Take(Leader {
            epoch: epoch_after(row.map_or(0, |leader| leader.epoch), now),
            holder: replica,
            until,
        }),
    }
}

/// The epoch of a take-over at `now`, after the last one the row knows of.
fn epoch_after(last: u64, now: Timestamp) -> u64 {
    let clock = u64::try_from(now.as_millis()).unwrap_or(0);
    clock.max(last.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_micros(0).plus_ms(ms)
    }

    fn leader(epoch: u64, holder: Uuid, until_ms: u64) -> Leader {
        Leader {
            epoch,
            holder,
            until: at(until_ms),
        }
    }

    fn check(row: Option<Leader>, now_ms: u64, expected: Bid) {
        assert_eq!(bid(row.as_ref(), ME, at(now_ms)), expected);
    }

    #[test]
    fn one_leads_and_every_take_over_raises_the_epoch() {
        let taken = |epoch, now_ms| Bid::Take(leader(epoch, ME, now_ms + LEADER_MS));
        check(None, 5, taken(5, 5));
        check(Some(leader(5, OTHER, 90)), 89, Bid::Wait(at(90)));
        check(Some(leader(5, OTHER, 90)), 90, taken(90, 90));
        let mine = leader(5, ME, 90);
        check(Some(mine), 89, Bid::Keep(leader(5, ME, 89 + LEADER_MS)));
        // Its own time is over as well as another's would be.
        check(Some(mine), 90, taken(90, 90));
        // A clock that was set back.
        check(Some(leader(500, OTHER, 90)), 90, taken(501, 90));
    }
}
