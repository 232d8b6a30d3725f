//! Time as the ledger keeps it: whole microseconds since 1970, UTC, never a process's own clock.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::defaults::CLOCK_STEP_MS;

/// A moment, in microseconds since 1970-01-01 UTC: the resolution of PostgreSQL's `timestamptz`.
///
/// Written as RFC 3339 with six digits. Arithmetic saturates: no clock step can make it wrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 9999-12-30, the last moment RFC 3339 and PostgreSQL both can write.
    const LATEST_US: i64 = 253_402_128_000_000_000;

    /// From microseconds since 1970, held within the years 1 and 9999.
    pub const fn from_micros(micros: i64) -> Self {
        if micros > Self::LATEST_US {
            return Self(Self::LATEST_US);
        }
        if micros < -62_135_596_800_000_000 {
            return Self(-62_135_596_800_000_000);
        }
        Self(micros)
    }

    /// Microseconds since 1970.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since 1970.
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// This moment plus so many milliseconds.
    #[must_use]
    pub const fn plus_ms(self, millis: u64) -> Self {
        let micros = i64::saturating_mul(
            if millis > i64::MAX.cast_unsigned() {
                i64::MAX
            } else {
                millis.cast_signed()
            },
            1_000,
        );
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// This moment, or the first one after `earlier` if it lies before that: what happens next in a life happens
    /// later, whatever the clock says.
    #[must_use]
    pub const fn after(self, earlier: Self) -> Self {
        if self.0 > earlier.0 {
            self
        } else {
            Self::from_micros(earlier.0.saturating_add(1))
        }
    }

    /// How far the clock that showed `earlier` and shows this moment now has been set meanwhile, in milliseconds: what it
    /// shows less what has passed. `None` when that is less than [`CLOCK_STEP_MS`].
    pub fn step_since(self, earlier: Self, passed: Duration) -> Option<i64> {
        let shown = self.0.saturating_sub(earlier.0);
        let passed = i64::try_from(passed.as_micros()).unwrap_or(i64::MAX);
        let step = shown.saturating_sub(passed) / 1_000;
        (step.unsigned_abs() >= CLOCK_STEP_MS).then_some(step)
    }

    /// The time since `earlier`; zero when that lies in the future.
    pub const fn since(self, earlier: Self) -> Duration {
        let micros = self.0.saturating_sub(earlier.0);
        Duration::from_micros(if micros > 0 { micros.unsigned_abs() } else { 0 })
    }

    /// Milliseconds from `earlier` to this moment; 0 when `earlier` is later.
    pub const fn ms_since(self, earlier: Self) -> u64 {
        let micros = self.0.saturating_sub(earlier.0);
        if micros < 0 {
            0
        } else {
            (micros / 1_000).cast_unsigned()
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = jiff::Timestamp::from_microsecond(self.0)
            .expect("a Timestamp lies within the years 1 to 9999");
        write!(f, "{moment:.6}")
    }
}

/// Why a text is not a moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an RFC 3339 time such as 2026-01-31T12:00:00Z")]
pub struct TimestampError(String);

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let moment: jiff::Timestamp = text.parse().map_err(|_| TimestampError(text.to_owned()))?;
        Ok(Self::from_micros(moment.as_microsecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_is_told_from_time_that_has_passed() {
        let noon: Timestamp = "2026-12-01T12:00:00Z".parse().unwrap();
        let passed = Duration::from_mins(1);
        assert_eq!(noon.plus_ms(60_000).step_since(noon, passed), None);
        assert_eq!(noon.plus_ms(60_999).step_since(noon, passed), None);
        assert_eq!(noon.plus_ms(61_000).step_since(noon, passed), Some(1_000));
        assert_eq!(noon.step_since(noon, passed), Some(-60_000));
        assert_eq!(
            noon.step_since(noon.plus_ms(3_540_000), passed),
            Some(-3_600_000)
        );
    }

    #[test]
    fn what_happens_next_happens_later() {
        let noon: Timestamp = "2026-12-01T12:00:00Z".parse().unwrap();
        assert_eq!(noon.after(noon).as_micros(), noon.as_micros() + 1);
        assert_eq!(noon.plus_ms(1).after(noon), noon.plus_ms(1));
        assert!(noon.after(noon.plus_ms(1)) > noon.plus_ms(1));
    }

    #[test]
    fn written_as_rfc_3339_with_six_digits() {
        assert_eq!(
            Timestamp::from_micros(1_767_225_600_000_001).to_string(),
            "2026-01-01T00:00:00.000001Z"
        );
        assert_eq!(
            "2026-01-01T01:00:00+01:00"
                .parse::<Timestamp>()
                .unwrap()
                .as_micros(),
            1_767_225_600_000_000
        );
    }

    #[test]
    fn arithmetic_saturates() {
        let last = Timestamp::from_micros(i64::MAX);
        assert_eq!(last.plus_ms(u64::MAX), last);
        assert!(!last.to_string().is_empty());
        assert!(!Timestamp::from_micros(i64::MIN).to_string().is_empty());
        assert_eq!(Timestamp::from_micros(0).ms_since(last), 0);
    }
}
