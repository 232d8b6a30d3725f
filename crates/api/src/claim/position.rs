//! How far a lane has come in the order of claims, per job type.
//!
//! A claim starts where the last one ended, so that it never walks over the dead rows of jobs that are long gone.
//! What may stand before that place (a hint of a lower key, a retry, a lost hint) is found by
//! lowering the place, and by a sweep from the start each second and whenever nothing else is found.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// Job types a lane remembers; with more it starts anew, which costs a sweep each.
const TYPES_MAX: usize = 1_024;
/// A sweep from the start is due after this.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// Jobs whose time has come are looked for this often while claims go on.
const PROMOTE_EVERY: Duration = Duration::from_millis(200);

/// How far a lane has come with one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    /// The next claim starts here.
    pub from: i64,
    swept: Option<Instant>,
    promoted: Option<Instant>,
}

impl Default for Position {
    fn default() -> Self {
        Self {
            from: i64::MIN,
            swept: None,
            promoted: None,
        }
    }
}

impl Position {
    pub(super) const fn lower(&mut self, from: i64) {
        if from < self.from {
            self.from = from;
        }
    }

    /// Where the next claim starts: at the place, or at the start once a second, however much there
    /// is behind the place, so that what stands before it never waits for a backlog to end.
    pub(super) fn start(&mut self, now: Instant) -> i64 {
        if self.from == i64::MIN || elapsed(self.swept, now) >= SWEEP_EVERY {
            self.swept = Some(now);
            return i64::MIN;
        }
        self.from
    }

    /// Takes note of a claim: the last key it granted, if any.
    pub(super) const fn advance(&mut self, last: Option<i64>) {
        if let Some(last) = last {
            self.from = last;
        }
    }

    pub(super) fn promote_is_due(&self, now: Instant) -> bool {
        elapsed(self.promoted, now) >= PROMOTE_EVERY
    }

    /// Takes note of jobs whose time has come: the lowest key among them.
    pub(super) fn promoted(&mut self, lowest: Option<i64>, now: Instant) {
        self.promoted = Some(now);
        if let Some(lowest) = lowest {
            self.lower(lowest);
        }
    }
}

fn elapsed(since: Option<Instant>, now: Instant) -> Duration {
    since.map_or(Duration::MAX, |since| now.saturating_duration_since(since))
}

/// The positions of one lane.
#[derive(Debug, Clone, Default)]
pub(super) struct Positions {
    of_type: BTreeMap<String, Position>,
    /// When jobs that are granted alone were last looked for.
    alone: Option<Instant>,
}

impl Positions {
    /// Whether to look for jobs that are granted alone: as often as for whatever else stands before the places.
    pub(super) fn alone_is_due(&mut self, now: Instant) -> bool {
        let due = elapsed(self.alone, now) >= SWEEP_EVERY;
        if due {
            self.alone = Some(now);
        }
        due
    }

    pub(super) fn get(&self, job_type: &str) -> Position {
        self.of_type.get(job_type).copied().unwrap_or_default()
    }

    pub(super) fn set(&mut self, job_type: &str, position: Position) {
        if self.of_type.len() >= TYPES_MAX && !self.of_type.contains_key(job_type) {
            self.of_type.clear();
        }
        self.of_type.insert(job_type.to_owned(), position);
    }

    /// Something of this type may be ready from this key on.
    pub(super) fn lower(&mut self, job_type: &str, from: i64) {
        if let Some(position) = self.of_type.get_mut(job_type) {
            position.lower(from);
        }
    }

    /// Anything may be ready anywhere.
    pub(super) fn reset(&mut self) {
        for position in self.of_type.values_mut() {
            position.lower(i64::MIN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_place_moves_on_and_is_lowered_by_what_may_stand_before_it() {
        let now = Instant::now();
        let mut place = Position::default();
        assert_eq!(place.start(now), i64::MIN);
        place.advance(Some(50));
        assert_eq!(place.start(now), 50);
        place.advance(None);
        assert_eq!(place.from, 50, "nothing found: the place stays");
        place.lower(70);
        place.lower(30);
        assert_eq!(place.start(now), 30);
        place.promoted(Some(10), now);
        assert_eq!(place.start(now), 10);
        assert!(!place.promote_is_due(now));
        let later = now + SWEEP_EVERY;
        assert_eq!(
            place.start(later),
            i64::MIN,
            "a backlog does not put the sweep off"
        );
        assert_eq!(place.start(later), 10);
    }

    #[test]
    fn types_are_bounded() {
        let mut places = Positions::default();
        for at in 0..=TYPES_MAX {
            let place = Position {
                from: 1,
                ..Position::default()
            };
            places.set(&format!("t{at}"), place);
        }
        assert_eq!(places.get("t0").from, i64::MIN);
        assert_eq!(places.get(&format!("t{TYPES_MAX}")).from, 1);
        places.reset();
        assert_eq!(places.get(&format!("t{TYPES_MAX}")).from, i64::MIN);
    }
}
