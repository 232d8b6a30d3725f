//! Following a stream of committed facts: what may be handed out, and from where a reader may go on.
//!
//! Transactions commit in another order than they began, and one may see what another one wrote that began later.
//! A fact is therefore placed by the newest transaction that had ended when it was written, unless its own is newer
//! ([`place_of`]): what is written after a fact was seen is placed after it.
//!
//! Facts become visible in another order than that of their places. A stream is read in the order of their
//! numbers, and only below the *horizon*: the oldest transaction that is still open. What lies below
//! it can no longer grow, so a reader that has passed a place has seen everything before it. Whoever
//! reads `id > last` instead skips what commits late.
//!
//! Old facts are trimmed. A reader whose cursor lies below what was trimmed is told so; it is never
//! handed a stream with a hole.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A place in a stream: the number of a transaction, and the row. Places of one stream are
/// ordered as the stream is; they mean nothing in another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The number of a transaction ([`place_of`]); it counts on past 32 bits.
    pub txid: u64,
    /// The row's id.
    pub row: Uuid,
}

/// The number by which a fact is placed: that of the transaction that writes it, or of the newest one that had ended when
/// it was written, if that is higher. Never below the writer's own, so that no reader has passed it
/// ([`deliverable`]); never below that of a fact that the writer has seen. The database computes it
/// (`stream_place`); of facts with one number, the ids say which is later.
pub const fn place_of(own: u64, newest_ended: u64) -> u64 {
    if own > newest_ended {
        own
    } else {
        newest_ended
    }
}

impl Place {
    /// Before everything.
    pub const fn start() -> Self {
        Self::before(0)
    }

    /// Before everything that transaction `txid` wrote, and everything that was written after it had ended.
    pub const fn before(txid: u64) -> Self {
        Self {
            txid,
            row: Uuid::nil(),
        }
    }

    /// After everything below `horizon`: where a reader stands that has seen all there is.
    pub const fn end_below(horizon: u64) -> Self {
        match horizon.checked_sub(1) {
            Some(txid) => Self {
                txid,
                row: Uuid::max(),
            },
            None => Self::start(),
        }
    }
}

/// Which history a cursor belongs to. After a restore another history begins, and numbers of
/// transactions are given out a second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Epoch {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

/// How far a reader has come: everything up to `place` was handed to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// In which history.
    pub epoch: Epoch,
    /// The last place it has passed.
    pub place: Place,
}

/// Why a reader cannot go on from its cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Expired {
    /// Facts after the cursor have been trimmed: going on would leave a hole.
    #[error("what came after it is no longer kept")]
    Trimmed,
    /// The database was restored since: the cursor names a place of a history that is gone.
    #[error("it belongs to a history before a restore of the database")]
    OtherHistory,
}

/// Whether what stands at `place` may be handed out: no transaction below `horizon` is open, so nothing
/// can still appear before it.
pub const fn deliverable(horizon: u64, place: Place) -> bool {
    place.txid < horizon
}

/// Whether a reader may go on from its cursor without missing anything: it is of this history, and
/// nothing after it was trimmed. `trimmed_to` is the last place that was.
///
/// # Errors
/// [`Expired`] says why not.
pub fn resumable(cursor: &Cursor, trimmed_to: Option<Place>, epoch: Epoch) -> Result<(), Expired> {
    if cursor.epoch != epoch {
        return Err(Expired::OtherHistory);
    }
    match trimmed_to {
        Some(trimmed) if cursor.place < trimmed => Err(Expired::Trimmed),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Epoch = Epoch(7);

    fn place(txid: u64, row: u128) -> Place {
        Place {
            txid,
            row: Uuid::from_u128(row),
        }
    }

    #[test]
    fn only_what_can_no_longer_grow_is_handed_out() {
        for (horizon, txid, expected) in [(10, 9, true), (10, 10, false), (10, 11, false)] {
            assert_eq!(deliverable(horizon, place(txid, 1)), expected, "{txid}");
        }
    }

    #[test]
    fn the_end_below_a_horizon_is_after_all_that_is_deliverable() {
        let end = Place::end_below(10);
        assert!(deliverable(10, end));
        assert!(place(9, u128::MAX - 1) < end && end < Place::before(10));
        assert_eq!(Place::end_below(0), Place::start());
    }

    #[test]
    fn a_cursor_holds_until_something_after_it_is_trimmed() {
        let cursor = |place| Cursor { epoch: HERE, place };
        for (at, trimmed, expected) in [
            (place(5, 5), None, Ok(())),
            (Place::start(), None, Ok(())),
            (place(5, 5), Some(place(5, 5)), Ok(())),
            (place(5, 6), Some(place(5, 5)), Ok(())),
            (place(5, 4), Some(place(5, 5)), Err(Expired::Trimmed)),
            (Place::start(), Some(place(1, 0)), Err(Expired::Trimmed)),
        ] {
            assert_eq!(resumable(&cursor(at), trimmed, HERE), expected, "{at:?}");
        }
        assert_eq!(
            resumable(&cursor(place(9, 9)), None, Epoch(8)),
            Err(Expired::OtherHistory)
        );
    }

    #[test]
    fn an_epoch_is_read_as_it_is_written() {
        assert_eq!(Epoch(0xab).to_string().parse(), Ok(Epoch(0xab)));
        assert!("g".parse::<Epoch>().is_err());
    }
}
