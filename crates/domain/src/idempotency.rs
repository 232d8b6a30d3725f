//! What to do with a request that names its key: run it, or answer from the record.
//!
//! A record stands under (tenant, principal, operation, key) and is committed together with the
//! effect it stands for: where there is a record there was an effect, and where there is none there
//! was none. `docs/adr/0009` says why both are one transaction.

use crate::digest::Digest;
use crate::time::Timestamp;

/// A key is remembered for seven days; after that the same key is a new request.
pub const WINDOW_MS: u64 = 7 * 24 * 60 * 60 * 1_000;

/// What is remembered of the request that used a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Remembered {
    /// The digest of that request: its path, parameters and body.
    pub request: Digest,
    /// The first moment at which it no longer counts.
    pub expires_at: Timestamp,
}

impl Remembered {
    /// What is to be remembered of a request that takes effect now.
    pub const fn new(request: Digest, now: Timestamp) -> Self {
        Self {
            request,
            expires_at: now.plus_ms(WINDOW_MS),
        }
    }
}

/// What a request with a key comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// Nobody used the key: take effect, and remember it in the same transaction.
    Proceed,
    /// The same request took effect before: answer what was answered then, and change nothing.
    Replay,
    /// Another request took effect under this key: refuse.
    Mismatch,
    /// The key was used, but that no longer counts: forget it and take effect, in one transaction.
    Expired,
}

/// Decides about a request under a key. `now` is the clock of the transaction that read the record
/// and that will write the next one; the record's row, or its absence, must be locked until then.
pub fn decide(remembered: Option<&Remembered>, request: &Digest, now: Timestamp) -> Decision {
    match remembered {
        None => Decision::Proceed,
        // Before the comparison: a key whose time is over says nothing about what may come under it.
        Some(record) if record.expires_at <= now => Decision::Expired,
        Some(record) if record.request == *request => Decision::Replay,
        Some(_) => Decision::Mismatch,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

    fn check(remembered: Option<&str>, request: &str, after_ms: u64, expected: Decision) {
        let remembered =
            remembered.map(|request| Remembered::new(Digest::of(request.as_bytes()), START));
        let found = decide(
            remembered.as_ref(),
            &Digest::of(request.as_bytes()),
            START.plus_ms(after_ms),
        );
        assert_eq!(found, expected, "{request} after {after_ms} ms");
    }

    #[test]
    fn a_key_counts_for_its_window_and_for_one_request() {
        check(None, "a", 0, Decision::Proceed);
        check(Some("a"), "a", 0, Decision::Replay);
        check(Some("a"), "a", WINDOW_MS - 1, Decision::Replay);
        check(Some("a"), "b", WINDOW_MS - 1, Decision::Mismatch);
        check(Some("a"), "a", WINDOW_MS, Decision::Expired);
        check(Some("a"), "b", WINDOW_MS, Decision::Expired);
    }
}
