//! The set algebra against the simplest thing that could be right.
//!
//! - IMPACT-1: a hit of the index is what asking every image would give.
//! - IMPACT-2: an index kept current by changes equals one built anew, byte for byte.
//! - IMPACT-3: an image outside the impact set has the same findings before and after.
//! - IMPACT-4: equal advisories under other ids, texts and times are no delta.
//! - FINDING-1: the difference of finding sets is the difference of plain sets.
//! - FINDING-2: an evaluation limited to some packages leaves all other findings alone.
//! - PLAN-1: each image is in one segment, no segment is too large, order has no meaning.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::collections::{BTreeMap, BTreeSet};

use croaring::Bitmap;
use jobengine_domain::digest::Digest;
use jobengine_domain::priority::Priority;
use jobengine_impact::advisory::{Advisory, Affected, Range, RangeEvent, RangeScheme};
use jobengine_impact::delta::AdvisoryDelta;
use jobengine_impact::evaluate::{Evaluation, Finding, ImageInput, Scope, evaluate};
use jobengine_impact::finding::FindingSets;
use jobengine_impact::impact::impact;
use jobengine_impact::index::{ImpactIndex, IndexStats};
use jobengine_impact::kev::KevCatalogue;
use jobengine_impact::matcher::Matcher;
use jobengine_impact::package::Package;
use jobengine_impact::plan::{PlanInput, plan};
use jobengine_impact::sbom::Component;
use jobengine_impact::segment::SegmentSize;
use jobengine_impact::severity::Severity;
use jobengine_impact::summary::DeltaSummary;
use jobengine_impact::vex::{Product, Statement, Status};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

/// Image → its packages.
type Fleet = BTreeMap<u32, BTreeSet<Package>>;

fn package() -> impl Strategy<Value = Package> {
    // `x` has no place in the order of versions.
    let version = prop_oneof![9 => (0..6).prop_map(|minor| format!("1.{minor}.0")), 1 => Just("x".to_owned())];
    ("[a-d]", version).prop_map(|(name, version)| Package {
        key: format!("npm/{name}").parse().unwrap(),
        version,
    })
}

fn fleet() -> impl Strategy<Value = Fleet> {
    btree_map(0..12_u32, btree_set(package(), 0..5), 0..12)
}

fn affected() -> impl Strategy<Value = Affected> {
    (package(), 0..6, 0..6, any::<bool>()).prop_map(|(package, from, to, listed)| {
        let range = Range {
            scheme: RangeScheme::Ecosystem,
            events: vec![
                RangeEvent::Introduced(format!("1.{from}.0")),
                RangeEvent::Fixed(format!("1.{to}.0")),
            ],
        };
        Affected {
            package: package.key,
            versions: listed.then_some(package.version).into_iter().collect(),
            ranges: (!listed).then_some(range).into_iter().collect(),
            severity: Vec::new(),
            unread: false,
        }
    })
}

fn advisory() -> impl Strategy<Value = Advisory> {
    let word = prop_oneof!["LOW", "HIGH", "CRITICAL"].prop_map(Some);
    (
        0..9,
        0..4,
        word,
        vec(affected(), 0..3),
        prop::bool::weighted(0.1),
    )
        .prop_map(
            |(id, cve, database_severity, affected, withdrawn)| Advisory {
                id: format!("GHSA-{id}"),
                aliases: BTreeSet::from([format!("CVE-2024-{cve}")]),
                upstream: BTreeSet::new(),
                withdrawn,
                modified: String::new(),
                severity: Vec::new(),
                database_severity,
                affected,
                unsupported: BTreeSet::new(),
                unread: Vec::new(),
                unread_more: 0,
            },
        )
}

fn advisories() -> impl Strategy<Value = Vec<Advisory>> {
    vec(advisory(), 0..6)
}

fn kev() -> impl Strategy<Value = KevCatalogue> {
    btree_set(0..4, 0..2).prop_map(|cves| KevCatalogue {
        entries: cves
            .into_iter()
            .map(|cve| (format!("CVE-2024-{cve}"), "2024-01-01".to_owned()))
            .collect(),
    })
}

fn statement() -> impl Strategy<Value = Statement> {
    let status = prop_oneof![
        Just(Status::NotAffected),
        Just(Status::Affected),
        Just(Status::Fixed)
    ];
    ("[a-d]", 0..4, status, 0..3).prop_map(|(name, cve, status, day)| Statement {
        vulnerabilities: BTreeSet::from([format!("CVE-2024-{cve}")]),
        products: BTreeSet::from([Product {
            id: format!("pkg:npm/{name}"),
            digests: BTreeSet::new(),
            subcomponents: BTreeSet::new(),
        }]),
        status,
        justification: None,
        timestamp: format!("2024-01-0{}T00:00:00Z", day + 1),
    })
}

fn index(fleet: &Fleet) -> ImpactIndex {
    let mut index = ImpactIndex::default();
    for (image, packages) in fleet {
        index.image_set(*image, packages);
    }
    index
}

fn judge(
    fleet: &Fleet,
    scope: &Scope,
    advisories: &[Advisory],
    kev: &KevCatalogue,
    vex: &[Statement],
) -> Evaluation {
    let images: Vec<(String, Vec<Component>)> = fleet
        .iter()
        .map(|(image, packages)| {
            let component = |package: &Package| Component {
                purl: format!("pkg:{}@{}", package.key, package.version),
                identity: Ok(package.clone()),
                source_assumed: false,
            };
            (image.to_string(), packages.iter().map(component).collect())
        })
        .collect();
    let inputs = images.iter().map(|(image, components)| ImageInput {
        image,
        digest: None,
        names: &[],
        components,
    });
    evaluate(inputs, scope, &Matcher::new(advisories), kev, vex)
}

/// What a finding is, without ids of advisories and without the fix.
fn essence(finding: &Finding) -> (u32, String, String, Severity, bool) {
    let image = finding.image.parse().unwrap();
    (
        image,
        finding.purl.clone(),
        finding.group.clone(),
        finding.severity,
        finding.kev,
    )
}

fn sets(fleet: &Fleet, scope: &Scope, findings: &[Finding], mut sets: FindingSets) -> FindingSets {
    let names: BTreeMap<String, u32> = fleet
        .keys()
        .map(|image| (image.to_string(), *image))
        .collect();
    let numbers = names
        .iter()
        .map(|(name, image)| (name.as_str(), *image))
        .collect();
    sets.replace(&numbers, scope, findings);
    sets
}

proptest! {
    #[test]
    fn impact_1_the_index_answers_as_the_images_would(fleet in fleet(), asked in package()) {
        let index = index(&fleet);
        let at_least = |version: &str| version >= asked.version.as_str();
        let found = index.hit(&asked.key, at_least).to_vec();
        let wanted: Vec<u32> = fleet
            .iter()
            .filter(|(_, all)| all.iter().any(|one| one.key == asked.key && at_least(&one.version)))
            .map(|(image, _)| *image)
            .collect();
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn impact_2_changes_leave_what_building_anew_gives(
        steps in vec((0..8_u32, proptest::option::weighted(0.8, btree_set(package(), 0..5))), 0..24),
    ) {
        let (mut kept, mut fleet) = (ImpactIndex::default(), Fleet::new());
        for (image, packages) in steps {
            if let Some(packages) = packages {
                let changed = kept.image_set(image, &packages);
                prop_assert_eq!(changed, fleet.insert(image, packages.clone()) != Some(packages));
            } else {
                prop_assert_eq!(kept.image_remove(image), fleet.remove(&image).is_some());
            }
        }
        let bytes = kept.to_bytes();
        prop_assert_eq!(&bytes, &index(&fleet).to_bytes());
        let read = ImpactIndex::from_bytes(&bytes).unwrap();
        prop_assert_eq!(read.to_bytes(), bytes);
        // How many bytes a bitmap takes depends on how it came about; what it says does not.
        let counts = |index: &ImpactIndex| IndexStats { bitmap_bytes: 0, ..index.stats() };
        prop_assert_eq!(counts(&read), counts(&kept));
    }

    #[test]
    fn impact_3_nothing_changes_outside_the_impact_set(
        fleet in fleet(),
        (before, after) in (advisories(), advisories()),
        (kev_before, kev_after) in (kev(), kev()),
    ) {
        let delta = AdvisoryDelta::between(&before, &kev_before, &after, &kev_after);
        let impact = impact(&index(&fleet), &delta);
        let essences = |advisories, kev| -> BTreeSet<_> {
            judge(&fleet, &Scope::All, advisories, kev, &[]).findings.iter().map(essence).collect()
        };
        let (had, has) = (essences(&before, &kev_before), essences(&after, &kev_after));
        let changed: Bitmap = had.symmetric_difference(&has).map(|finding| finding.0).collect();
        prop_assert!(changed.is_subset(&impact.images));
        prop_assert!(!delta.is_empty() || changed.is_empty());
    }

    #[test]
    fn impact_4_names_and_times_are_no_delta(advisories in advisories(), kev in kev()) {
        let renamed = advisories.iter().rev().enumerate().map(|(number, advisory)| Advisory {
            id: format!("PYSEC-{number}"),
            modified: "2025-01-01T00:00:00Z".to_owned(),
            affected: advisory.affected.iter().rev().cloned().collect(),
            ..advisory.clone()
        });
        let renamed: Vec<_> = renamed.collect();
        let delta = AdvisoryDelta::between(&advisories, &kev, &renamed, &kev);
        prop_assert_eq!(delta.advisories_changed(), 0);
        prop_assert!(delta.is_empty());
    }

    #[test]
    fn finding_1_sets_differ_as_plain_sets_do(
        fleet in fleet(),
        (before, after) in (advisories(), advisories()),
        (kev_before, kev_after) in (kev(), kev()),
        vex in vec(statement(), 0..4),
    ) {
        let open = |advisories: &[Advisory], kev: &KevCatalogue| {
            judge(&fleet, &Scope::All, advisories, kev, &vex).findings
        };
        let (before, after) = (open(&before, &kev_before), open(&after, &kev_after));
        let plain = |findings: &[Finding], fits: fn(&Finding) -> bool| -> BTreeSet<_> {
            let open = findings.iter().filter(|finding| !finding.status.suppresses() && fits(finding));
            open.map(|finding| (finding.image.clone(), finding.purl.clone(), finding.group.clone())).collect()
        };
        let more = |fits: fn(&Finding) -> bool| (&plain(&after, fits) - &plain(&before, fits)).len() as u64;
        let wanted = DeltaSummary {
            new: more(|_| true),
            fixed: (&plain(&before, |_| true) - &plain(&after, |_| true)).len() as u64,
            critical: more(|finding| finding.severity == Severity::Critical),
            high: more(|finding| finding.severity == Severity::High),
            kev: more(|finding| finding.kev),
        };
        let count = plain(&after, |_| true).len() as u64;
        let before = sets(&fleet, &Scope::All, &before, FindingSets::default());
        let after = sets(&fleet, &Scope::All, &after, FindingSets::default());
        prop_assert_eq!(DeltaSummary::between(&before, &after), wanted);
        prop_assert_eq!(DeltaSummary::by_image(&before, &after).into_values().sum::<DeltaSummary>(), wanted);
        prop_assert_eq!(after.count(), count);
    }

    #[test]
    fn finding_2_a_narrow_evaluation_brings_the_whole_up_to_date(
        fleet in fleet(),
        (before, after) in (advisories(), advisories()),
        kev in kev(),
        vex in vec(statement(), 0..4),
    ) {
        let delta = AdvisoryDelta::between(&before, &kev, &after, &kev);
        let impact = impact(&index(&fleet), &delta);
        let scope = Scope::Packages(impact.packages);
        let known = judge(&fleet, &Scope::All, &before, &kev, &vex).findings;
        let known = sets(&fleet, &Scope::All, &known, FindingSets::default());
        let hit: Fleet = fleet
            .iter()
            .filter(|(image, _)| impact.images.contains(**image))
            .map(|(image, packages)| (*image, packages.clone()))
            .collect();
        let anew = judge(&hit, &scope, &after, &kev, &vex).findings;
        let current = sets(&hit, &scope, &anew, known);
        let whole = judge(&fleet, &Scope::All, &after, &kev, &vex).findings;
        prop_assert_eq!(current, sets(&fleet, &Scope::All, &whole, FindingSets::default()));
    }

    #[test]
    fn order_has_no_meaning_for_an_evaluation(
        fleet in fleet(),
        (advisories, shuffled) in advisories().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        (vex, vex_shuffled) in
            vec(statement(), 0..6).prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        kev in kev(),
    ) {
        let one = judge(&fleet, &Scope::All, &advisories, &kev, &vex);
        prop_assert_eq!(one, judge(&fleet, &Scope::All, &shuffled, &kev, &vex_shuffled));
    }

    #[test]
    fn plan_1_each_image_once_within_bounds(
        full in btree_set(0..60_u32, 0..40),
        scoped in btree_set(0..60_u32, 0..40),
        size in 1..20_u32,
    ) {
        let digests = |numbers: &BTreeSet<u32>| -> BTreeSet<Digest> {
            numbers.iter().map(|number| Digest::of(&number.to_le_bytes())).collect()
        };
        let (full, scoped) = (digests(&full), digests(&scoped));
        let plan = plan(&PlanInput {
            full: &full,
            scoped: &scoped,
            packages: &BTreeSet::new(),
            fleet: 60,
            worst: Severity::High,
            kev: false,
            floor: Priority::Low,
            size: SegmentSize::new(size).unwrap(),
        });
        let planned: Vec<_> = plan.segments.iter().flat_map(|part| &part.images).copied().collect();
        let distinct: BTreeSet<Digest> = planned.iter().copied().collect();
        prop_assert_eq!(distinct.len(), planned.len());
        prop_assert_eq!(&distinct, &(&full | &scoped));
        for (ordinal, part) in (0..).zip(&plan.segments) {
            prop_assert_eq!(part.ordinal, ordinal);
            prop_assert!((1..=size as usize).contains(&part.images.len()) && part.images.is_sorted());
            prop_assert!(part.images.iter().all(|image| full.contains(image) == part.scope_all));
        }
    }
}
