//! The plan of a run: who is evaluated, for what, in which slices, how urgently.

use std::collections::BTreeSet;

use jobengine_domain::canon::canonical_digest;
use jobengine_domain::digest::Digest;
use jobengine_domain::priority::Priority;
use serde::{Deserialize, Serialize};

use crate::package::PackageKey;
use crate::segment::{Segment, SegmentSize, segments};
use crate::severity::Severity;

/// A flaw of severity high that hits this share of the fleet is as urgent as a critical one.
const WIDE_PERMILLE: u64 = 250;

/// What a run is planned from.
#[derive(Debug, Clone)]
pub struct PlanInput<'a> {
    /// Images to evaluate for every package: new ones, and those whose SBOM or VEX changed.
    pub full: &'a BTreeSet<Digest>,
    /// Images to evaluate for `packages` only: the impact set of an advisory delta.
    pub scoped: &'a BTreeSet<Digest>,
    /// The packages that the delta touches.
    pub packages: &'a BTreeSet<PackageKey>,
    /// Images in the fleet, hit or not.
    pub fleet: u64,
    /// The worst severity the delta brings.
    pub worst: Severity,
    /// Whether it brings an exploited flaw.
    pub kev: bool,
    /// It is at least so urgent.
    pub floor: Priority,
    /// Most images per segment.
    pub size: SegmentSize,
}

/// The plan. Equal inputs give equal plans and equal digests, on every machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Empty when there is no work.
    pub segments: Vec<Segment>,
    /// The packages that segments without `scopeAll` evaluate.
    pub packages: BTreeSet<PackageKey>,
    /// How urgent it is.
    pub priority: Priority,
    /// SHA-256 of the canonical JSON of the three above.
    pub digest: Digest,
}

/// Plans a run.
pub fn plan(input: &PlanInput<'_>) -> Plan {
    let segments = segments(input.full, input.scoped, input.size);
    let hit: usize = segments.iter().map(|segment| segment.images.len()).sum();
    let priority = priority(input, hit as u64).max(input.floor);
    let digest = canonical_digest(&(&segments, input.packages, priority))
        .expect("a plan holds texts and ordinals below 2^32");
    Plan {
        segments,
        packages: input.packages.clone(),
        priority,
        digest,
    }
}

/// Urgency by exploitation, severity and blast radius.
fn priority(input: &PlanInput<'_>, hit: u64) -> Priority {
    let wide = hit.saturating_mul(1_000) >= input.fleet.saturating_mul(WIDE_PERMILLE);
    if input.kev {
        return Priority::Emergency;
    }
    match input.worst {
        Severity::Critical => Priority::High,
        Severity::High if wide => Priority::High,
        // Nobody said how bad it is: no reason to let it wait.
        Severity::High | Severity::Medium | Severity::Unknown => Priority::Normal,
        Severity::Low => Priority::Low,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(numbers: std::ops::Range<u32>) -> BTreeSet<Digest> {
        numbers
            .map(|number| Digest::of(&number.to_le_bytes()))
            .collect()
    }

    fn check(worst: Severity, kev: bool, hit: u32, fleet: u64, expected: Priority) {
        let plan = plan(&PlanInput {
            full: &BTreeSet::new(),
            scoped: &images(0..hit),
            packages: &BTreeSet::new(),
            fleet,
            worst,
            kev,
            floor: Priority::Low,
            size: SegmentSize::default(),
        });
        assert_eq!(plan.priority, expected, "{worst:?} {kev} {hit}/{fleet}");
    }

    #[test]
    fn urgency_follows_exploitation_severity_and_reach() {
        check(Severity::Low, true, 1, 100, Priority::Emergency);
        check(Severity::Critical, false, 1, 100, Priority::High);
        check(Severity::High, false, 25, 100, Priority::High);
        check(Severity::High, false, 24, 100, Priority::Normal);
        check(Severity::Medium, false, 100, 100, Priority::Normal);
        check(Severity::Unknown, false, 1, 100, Priority::Normal);
        check(Severity::Low, false, 100, 100, Priority::Low);
    }

    #[test]
    fn no_image_is_no_segment() {
        let none = BTreeSet::new();
        let packages = BTreeSet::from(["npm/a".parse().unwrap()]);
        let plan = plan(&PlanInput {
            full: &none,
            scoped: &none,
            packages: &packages,
            fleet: 9,
            worst: Severity::High,
            kev: false,
            floor: Priority::Low,
            size: SegmentSize::default(),
        });
        assert_eq!(plan.segments, []);
    }

    #[test]
    fn a_plan_is_written_the_same_for_ever() {
        let plan = plan(&PlanInput {
            full: &images(0..1),
            scoped: &images(0..3),
            packages: &BTreeSet::from(["npm/a".parse().unwrap()]),
            fleet: 9,
            worst: Severity::High,
            kev: false,
            floor: Priority::Low,
            size: SegmentSize::new(1).unwrap(),
        });
        let shape: Vec<_> = plan
            .segments
            .iter()
            .map(|part| (part.ordinal, part.scope_all, part.images.len()))
            .collect();
        assert_eq!(shape, [(0, true, 1), (1, false, 1), (2, false, 1)]);
        // Stored plans are compared by digest: a change here is a change of the contract.
        assert_eq!(
            plan.digest.to_string(),
            "sha256:d96a1091272ef200baddec2d83d80ce0bd3a072385f5f7cbab4ad061a10280df"
        );
    }
}
