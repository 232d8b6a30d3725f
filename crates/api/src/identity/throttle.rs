//! Slows those who show bad credentials, before any cryptography is spent on them.
//!
//! Failures are counted by address. A credential that was just refused is refused again without a look and
//! without being counted: a client that repeats the one bad token it has uses up nothing of what it shares its
//! address for, and only somebody who tries one after the other brings a pause.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jobengine_domain::digest::Digest;

/// Failures of one address within a minute that cost it nothing.
const FREE: u32 = 20;
const WINDOW: Duration = Duration::from_mins(1);
/// The first pause; each further failure doubles it, up to the longest: others behind the address, with
/// credentials that nobody has seen yet, wait with it.
const PAUSE: Duration = Duration::from_secs(2);
const PAUSE_MAX: Duration = Duration::from_mins(1);
/// An address that has behaved for so long starts afresh.
const FORGOTTEN: Duration = Duration::from_mins(30);
/// Addresses at once.
const PLACES_MAX: usize = 16_384;
/// A credential that was refused is looked at again after so long: its key may be published by then, its time
/// have come. Six clients that repeat theirs without end stay below what is free.
const REFUSED_AGE: Duration = Duration::from_secs(20);
/// Refused credentials that are remembered.
const REFUSED_MAX: usize = 16_384;

/// Counts failures by address.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    places: Mutex<HashMap<IpAddr, Place>>,
    refused: Mutex<HashMap<(IpAddr, Digest), Instant>>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    since: Instant,
    failures: u32,
    pauses: u32,
    last: Instant,
    until: Option<Instant>,
}

impl Throttle {
    /// How long an address has to wait before it is heard again, if it has to.
    pub(super) fn wait(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let until = self.places().get(&network(address))?.until?;
        let left = until.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// Counts a failure; the pause that it brings, if it brings one.
    pub(super) fn failed(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let mut places = self.places();
        let address = network(address);
        if places.len() >= PLACES_MAX && !places.contains_key(&address) {
            places.retain(|_, place| !place.is_over(now));
            if places.len() >= PLACES_MAX {
                // Somebody with very many addresses: those who are already paused stay so.
                places.retain(|_, place| place.is_paused(now));
            }
            if places.len() >= PLACES_MAX {
                places.clear();
            }
        }
        places
            .entry(address)
            .or_insert_with(|| Place::new(now))
            .fail(now)
    }

    /// Remembers that a credential was refused, whoever shows it from there.
    pub(super) fn refuse(&self, address: IpAddr, credential: Digest, now: Instant) {
        let mut refused = self.refused();
        if refused.len() >= REFUSED_MAX {
            refused.retain(|_, at| now.saturating_duration_since(*at) < REFUSED_AGE);
            if refused.len() >= REFUSED_MAX {
                // Each is looked at, and counted, once more.
                refused.clear();
            }
        }
        refused.insert((network(address), credential), now);
    }

    /// Whether a credential was refused there a moment ago.
    pub(super) fn has_refused(&self, address: IpAddr, credential: Digest, now: Instant) -> bool {
        let refused = self.refused();
        let at = refused.get(&(network(address), credential));
        at.is_some_and(|at| now.saturating_duration_since(*at) < REFUSED_AGE)
    }

    fn refused(&self) -> MutexGuard<'_, HashMap<(IpAddr, Digest), Instant>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn places(&self) -> MutexGuard<'_, HashMap<IpAddr, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    const fn new(now: Instant) -> Self {
        Self {
            since: now,
            failures: 0,
            pauses: 0,
            last: now,
            until: None,
        }
    }

    fn fail(&mut self, now: Instant) -> Option<Duration> {
        if self.is_over(now) {
            *self = Self::new(now);
        }
        self.last = now;
        if now.saturating_duration_since(self.since) >= WINDOW && self.pauses == 0 {
            (self.since, self.failures) = (now, 0);
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures <= FREE {
            return None;
        }
        // Once paused, every failure counts until the address has been quiet for long.
        let pause = PAUSE
            .saturating_mul(2_u32.saturating_pow(self.pauses))
            .min(PAUSE_MAX);
        self.pauses = self.pauses.saturating_add(1);
        self.until = Some(now + pause);
        Some(pause)
    }

    fn is_paused(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    fn is_over(&self, now: Instant) -> bool {
        let quiet = if self.pauses == 0 { WINDOW } else { FORGOTTEN };
        now.saturating_duration_since(self.last) >= quiet
    }
}

/// One customer of a provider holds a whole /64 of IPv6 addresses.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & (u128::MAX << 64)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn the_page_of_the_problem_says_what_is_done() {
        let page = include_str!("../../../../docs/problems/rate-limited.md");
        let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
        let minutes = |time: Duration| time.as_secs() / 60;
        for said in [
            format!("more than {FREE} credentials"),
            format!("within {} min were refused", minutes(WINDOW)),
            format!("for {} s, and with each further failure", PAUSE.as_secs()),
            format!("twice as long, up to {} min", minutes(PAUSE_MAX)),
            format!("repeated within {} s counts once", REFUSED_AGE.as_secs()),
            format!("After {} min without a failure", minutes(FORGOTTEN)),
        ] {
            assert!(page.contains(&said), "{said}");
        }
    }

    #[test]
    fn pauses_double_and_are_forgotten() {
        let throttle = Throttle::default();
        let start = Instant::now();
        let at = |s| start + Duration::from_secs(s);
        for _ in 0..FREE {
            assert_eq!(throttle.failed(HERE, at(0)), None);
        }
        assert_eq!(throttle.wait(HERE, at(0)), None);
        for (failure, pause) in [(1, 2), (4, 4), (9, 8), (20, 16)] {
            assert_eq!(
                throttle.failed(HERE, at(failure)),
                Some(Duration::from_secs(pause))
            );
            assert!(throttle.wait(HERE, at(failure + pause - 1)).is_some());
            assert_eq!(throttle.wait(HERE, at(failure + pause)), None);
        }
        for _ in 0..40 {
            assert!(throttle.failed(HERE, at(40)) <= Some(PAUSE_MAX));
        }
        assert_eq!(throttle.wait(HERE, at(40)), Some(PAUSE_MAX));
        assert_eq!(throttle.failed(HERE, at(40 + 30 * 60)), None);
    }

    #[test]
    fn a_slow_trickle_costs_nothing_and_neighbours_nothing_either() {
        let throttle = Throttle::default();
        let start = Instant::now();
        for minute in 0..100 {
            for _ in 0..FREE {
                let now = start + Duration::from_mins(minute);
                assert_eq!(throttle.failed(HERE, now), None);
            }
        }
        let now = start + Duration::from_mins(99);
        assert!(throttle.failed(HERE, now).is_some());
        assert_eq!(throttle.wait("10.0.0.1".parse().unwrap(), now), None);
    }

    #[test]
    fn a_network_of_ipv6_is_one_place_and_the_places_are_bounded() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for n in 0..=FREE {
            let address: IpAddr = format!("2001:db8:0:1::{n}").parse().unwrap();
            throttle.failed(address, now);
        }
        assert!(
            throttle
                .wait("2001:db8:0:1:ffff::".parse().unwrap(), now)
                .is_some()
        );
        assert_eq!(throttle.wait("2001:db8:0:2::1".parse().unwrap(), now), None);
        for n in 0..u32::try_from(PLACES_MAX).unwrap() + 10 {
            throttle.failed(IpAddr::V4(n.into()), now);
        }
        assert!(throttle.places().len() <= PLACES_MAX);
        assert!(
            throttle
                .wait("2001:db8:0:1::".parse().unwrap(), now)
                .is_some()
        );
    }

    #[test]
    fn a_repeated_credential_is_looked_at_three_times_a_minute_and_the_memory_is_bounded() {
        let throttle = Throttle::default();
        let start = Instant::now();
        let bad = Digest::of(b"bad");
        let mut looks = 0;
        for s in 0..60 {
            let now = start + Duration::from_secs(s);
            if !throttle.has_refused(HERE, bad, now) {
                looks += 1;
                throttle.refuse(HERE, bad, now);
            }
        }
        assert_eq!(looks, 3);
        assert!(looks * 6 <= FREE);
        assert!(!throttle.has_refused("10.0.0.1".parse().unwrap(), bad, start));
        for n in 0..2 * REFUSED_MAX {
            throttle.refuse(HERE, Digest::of(&n.to_le_bytes()), start);
        }
        assert!(throttle.refused().len() <= REFUSED_MAX);
    }
}
