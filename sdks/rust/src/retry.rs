//! When and how often a call is tried again.

use std::time::Duration;

use crate::draw;

/// Bounds on the repetition of a call: in number and in time, with full jitter between the tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries in all, the first one included; 1 means that nothing is repeated.
    pub tries: u32,
    /// No try starts later than this after the first one.
    pub within: Duration,
    /// The longest pause before the second try; it doubles with each further one.
    pub base: Duration,
    /// No pause is longer.
    pub cap: Duration,
}

impl Default for RetryPolicy {
    /// Five tries within 30 seconds, pauses of up to 100 ms, 200 ms, … 5 s.
    fn default() -> Self {
        Self {
            tries: 5,
            within: Duration::from_secs(30),
            base: Duration::from_millis(100),
            cap: Duration::from_secs(5),
        }
    }
}

impl RetryPolicy {
    /// One try, no repetition.
    pub fn never() -> Self {
        Self {
            tries: 1,
            ..Self::default()
        }
    }

    /// How long to pause after `tried` tries, of which the first began `elapsed` ago; `None` when
    /// it is time to give up. Never less than what the server asked for.
    pub(crate) fn pause(
        &self,
        tried: u32,
        elapsed: Duration,
        asked: Option<Duration>,
    ) -> Option<Duration> {
        if tried >= self.tries {
            return None;
        }
        let pause = self.jitter(tried).max(asked.unwrap_or_default());
        (elapsed.saturating_add(pause) <= self.within).then_some(pause)
    }

    /// A pause drawn after `tried` failed tries, without regard to the bounds.
    pub(crate) fn jitter(&self, tried: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(tried.saturating_sub(1));
        draw::up_to(self.base.saturating_mul(doubled).min(self.cap))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetition_ends_by_number_and_by_time() {
        let policy = RetryPolicy::default();
        let second = Duration::from_secs(1);
        assert!(policy.pause(1, second, None).expect("a pause") <= policy.base);
        assert!(policy.pause(4, second, None).expect("a pause") <= policy.base * 8);
        assert_eq!(policy.pause(5, second, None), None);
        assert_eq!(policy.pause(1, policy.within + second, None), None);
        assert_eq!(RetryPolicy::never().pause(1, second, None), None);
    }

    #[test]
    fn the_server_may_ask_for_more() {
        let policy = RetryPolicy::default();
        let asked = Some(Duration::from_secs(7));
        assert_eq!(policy.pause(1, Duration::ZERO, asked), asked);
        let too_long = Some(policy.within + Duration::from_secs(1));
        assert_eq!(policy.pause(1, Duration::ZERO, too_long), None);
    }

    #[test]
    fn pauses_do_not_overflow() {
        let policy = RetryPolicy {
            cap: Duration::MAX,
            ..RetryPolicy::default()
        };
        let _ = policy.jitter(u32::MAX);
    }
}
