//! The one door through which randomness enters: ids and jitter.

use std::time::Duration;

use uuid::Uuid;

/// A fresh `UUIDv7`.
#[expect(
    clippy::disallowed_methods,
    reason = "a client draws its own session and request ids; no store is at hand"
)]
pub(crate) fn id() -> Uuid {
    Uuid::now_v7()
}

/// A duration drawn evenly from 0 to `most`, in whole microseconds ("full jitter").
pub(crate) fn up_to(most: Duration) -> Duration {
    // The last 32 bits of a UUIDv7 are random.
    let bits = id().as_u128() & u128::from(u32::MAX);
    let micros = (most.as_micros() * bits) >> 32;
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_bounds_and_moves() {
        let most = Duration::from_secs(5);
        let drawn: Vec<Duration> = (0..100).map(|_| up_to(most)).collect();
        assert!(drawn.iter().all(|delay| *delay <= most));
        assert!(drawn.iter().any(|delay| *delay < most / 2));
        assert!(drawn.iter().any(|delay| *delay > most / 2));
        assert_eq!(up_to(Duration::ZERO), Duration::ZERO);
    }
}
