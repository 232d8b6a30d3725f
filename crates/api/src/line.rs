//! How often a line of the log is written, when anybody outside can cause it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lines are counted by this.
pub(crate) const WINDOW: Duration = Duration::from_mins(1);

/// Lines of one sort: so many a minute are written, the rest of them only counted.
#[derive(Debug)]
pub(crate) struct Lines {
    most: u32,
    minute: Mutex<Option<Minute>>,
}

#[derive(Debug, Clone, Copy)]
struct Minute {
    since: Instant,
    lines: u32,
}

/// What becomes of a line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// It is written.
    Write,
    /// It is written as the first of a minute before which so many were left out.
    WriteAfter(u32),
    /// It is left out.
    Omit,
}

impl Lines {
    /// `most` of them a minute.
    pub(crate) const fn new(most: u32) -> Self {
        Self {
            most,
            minute: Mutex::new(None),
        }
    }

    /// Whether the next one is written.
    pub(crate) fn next(&self, now: Instant) -> Line {
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *minute {
            Some(minute) if now.saturating_duration_since(minute.since) < WINDOW => {
                minute.lines = minute.lines.saturating_add(1);
                if minute.lines <= self.most {
                    Line::Write
                } else {
                    Line::Omit
                }
            }
            other => {
                let omitted = other.map_or(0, |last| last.lines.saturating_sub(self.most));
                *other = Some(Minute {
                    since: now,
                    lines: 1,
                });
                match omitted {
                    0 => Line::Write,
                    omitted => Line::WriteAfter(omitted),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_not_flooded() {
        let lines = Lines::new(100);
        let now = Instant::now();
        let written = (0..1_000).filter(|_| lines.next(now) == Line::Write);
        assert_eq!(written.count(), 100);
        assert_eq!(lines.next(now + WINDOW), Line::WriteAfter(900));
        assert_eq!(lines.next(now + WINDOW), Line::Write);
    }
}
