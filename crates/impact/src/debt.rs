//! Debts: images that a run was to evaluate and did not. They are evaluated by a later run.

use std::collections::BTreeSet;

use jobengine_domain::defaults::{DEBT_BACKOFF_BASE_MS, DEBT_BACKOFF_CAP_MS, DEBT_PACKAGES_MAX};
use jobengine_domain::digest::Digest;
use jobengine_domain::id::RunId;
use jobengine_domain::priority::Priority;

use crate::evaluate::Scope;
use crate::package::PackageKey;

/// What is owed to one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Debt {
    /// The image.
    pub image: Digest,
    /// The packages that were not evaluated, at most [`DEBT_PACKAGES_MAX`], or all of them.
    pub scope: Scope,
    /// Generation of the run that left it first.
    pub first: u64,
    /// Generation of the run that left it last.
    pub last: u64,
    /// Runs that left it, one after the other.
    pub tries: u32,
    /// The highest band of these runs.
    pub priority: Priority,
    /// Why the last run left it: how the segment's job ended, or `unusable` for its result.
    pub reason: String,
}

impl Debt {
    /// A debt that a run leaves, for what it was to evaluate.
    pub fn left(
        image: Digest,
        scope: Scope,
        generation: u64,
        priority: Priority,
        reason: &str,
    ) -> Self {
        Self {
            image,
            scope: bounded(scope),
            first: generation,
            last: generation,
            tries: 1,
            priority,
            reason: reason.to_owned(),
        }
    }

    /// The debt of the same image when a later run leaves it again: it owes what both were to evaluate.
    #[must_use]
    pub fn again(self, later: Self) -> Self {
        Self {
            image: self.image,
            scope: bounded(both(self.scope, later.scope)),
            first: self.first,
            last: later.last,
            tries: self.tries.saturating_add(later.tries),
            priority: self.priority.max(later.priority),
            reason: later.reason,
        }
    }

    /// What is still owed after a later run has evaluated the image for `done`; `None` when it is paid.
    #[must_use]
    pub fn paid(self, done: &Scope) -> Option<Self> {
        let scope = match (self.scope, done) {
            (_, Scope::All) => return None,
            (Scope::All, Scope::Packages(_)) => Scope::All,
            (Scope::Packages(owed), Scope::Packages(done)) => {
                let left: BTreeSet<PackageKey> = owed.difference(done).cloned().collect();
                if left.is_empty() {
                    return None;
                }
                Scope::Packages(left)
            }
        };
        Some(Self { scope, ..self })
    }
}

/// After how long what a run left is planned again: doubled with each try up to the cap, and up to a quarter
/// more, read from the run's id. Everything that one run left is due together.
pub fn due_after_ms(run: RunId, tries: u32) -> u64 {
    let doublings = tries.saturating_sub(1).min(32);
    let delay = DEBT_BACKOFF_BASE_MS
        .saturating_mul(1 << doublings)
        .min(DEBT_BACKOFF_CAP_MS);
    delay + delay * u64::from(run.0.as_bytes()[15]) / 1_024
}

fn both(one: Scope, other: Scope) -> Scope {
    match (one, other) {
        (Scope::Packages(mut one), Scope::Packages(other)) => {
            one.extend(other);
            Scope::Packages(one)
        }
        (Scope::All, Scope::All | Scope::Packages(_)) | (Scope::Packages(_), Scope::All) => {
            Scope::All
        }
    }
}

/// A longer list of packages than a debt keeps is all of them.
fn bounded(scope: Scope) -> Scope {
    match scope {
        Scope::Packages(packages) if packages.len() <= DEBT_PACKAGES_MAX => {
            Scope::Packages(packages)
        }
        Scope::Packages(_) | Scope::All => Scope::All,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn some(numbers: &BTreeSet<u16>) -> Scope {
        let key = |number: &u16| format!("npm/p{number}").parse().unwrap();
        Scope::Packages(numbers.iter().map(key).collect())
    }

    fn debt(scope: Scope, generation: u64) -> Debt {
        Debt::left(
            Digest::of(b"i"),
            scope,
            generation,
            Priority::Normal,
            "failed",
        )
    }

    #[test]
    fn a_list_that_is_too_long_is_everything() {
        let most = u16::try_from(DEBT_PACKAGES_MAX).unwrap();
        let (fits, too_long) = ((0..most).collect(), (0..=most).collect());
        assert_eq!(debt(some(&fits), 1).scope, some(&fits));
        assert_eq!(debt(some(&too_long), 1).scope, Scope::All);
        let merged = debt(some(&fits), 1).again(debt(some(&[most].into()), 2));
        assert_eq!((merged.scope, merged.tries), (Scope::All, 2));
    }

    #[test]
    fn the_delay_doubles_to_its_cap() {
        let run = RunId(Uuid::from_u128(0));
        let delays = [1, 2, 3, 7, 8, u32::MAX].map(|tries| due_after_ms(run, tries) / 1_000);
        assert_eq!(delays, [30, 60, 120, 1_920, 3_600, 3_600]);
    }

    proptest! {
        /// DEBT-1: what is owed and not evaluated stays owed; what was evaluated for all of it is paid.
        #[test]
        fn nothing_owed_is_forgotten(
            one: BTreeSet<u16>, other: BTreeSet<u16>, done: BTreeSet<u16>, run: u128, tries: u32
        ) {
            let merged = debt(some(&one), 1).again(debt(some(&other), 2));
            let left = merged.clone().paid(&some(&done));
            for number in one.union(&other) {
                let key = format!("npm/p{number}").parse().unwrap();
                prop_assert!(merged.scope.contains(&key));
                let owed = left.as_ref().is_some_and(|left| left.scope.contains(&key));
                prop_assert!(owed || done.contains(number));
            }
            prop_assert_eq!(merged.paid(&Scope::All), None);
            let delay = due_after_ms(RunId(Uuid::from_u128(run)), tries);
            prop_assert!((DEBT_BACKOFF_BASE_MS..=DEBT_BACKOFF_CAP_MS * 5 / 4).contains(&delay));
        }
    }
}
