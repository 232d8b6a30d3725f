use super::*;
use crate::package::PackageKey;

/// `events` as `+1 -2 =3 <4`: introduced, fixed, last affected, limit.
fn range(scheme: RangeScheme, events: &str) -> Range {
    let event = |word: &str| {
        let (sign, text) = word.split_at(1);
        match sign {
            "+" => RangeEvent::Introduced(text.to_owned()),
            "-" => RangeEvent::Fixed(text.to_owned()),
            "=" => RangeEvent::LastAffected(text.to_owned()),
            "<" => RangeEvent::Limit(text.to_owned()),
            _ => panic!("no such sign: {word}"),
        }
    };
    Range {
        scheme,
        events: events.split_whitespace().map(event).collect(),
    }
}

fn affected(ecosystem: Ecosystem, versions: &[&str], ranges: Vec<Range>) -> CompiledAffected {
    let key = PackageKey {
        ecosystem,
        release: String::new(),
        name: "a".to_owned(),
    };
    CompiledAffected::compile(&Affected {
        package: key,
        versions: versions.iter().map(|&text| text.to_owned()).collect(),
        ranges,
        severity: Vec::new(),
        unread: false,
    })
}

/// One range in the ecosystem's order; `wanted` is `hit`, `hit fixed-version`, `miss` or the
/// text that cannot be ordered.
fn check(ecosystem: Ecosystem, events: &str, version: &str, wanted: &str) {
    let compiled = affected(ecosystem, &[], vec![range(RangeScheme::Ecosystem, events)]);
    check_compiled(ecosystem, &compiled, version, wanted);
}

fn check_compiled(ecosystem: Ecosystem, compiled: &CompiledAffected, version: &str, wanted: &str) {
    let candidate = Candidate::new(ecosystem, version);
    let answer = match (compiled.judge(&candidate), compiled.fixed_for(&candidate)) {
        (Verdict::Affected, Some(fixed)) => format!("hit {fixed}"),
        (Verdict::Affected, None) => "hit".to_owned(),
        (Verdict::NotAffected, None) => "miss".to_owned(),
        (Verdict::Unknown(Unmatched::VersionNotComparable(text)), None) => text,
        other => format!("{other:?}"),
    };
    assert_eq!(answer, wanted, "{version} in {compiled:?}");
}

#[test]
fn events_switch_on_and_off() {
    use Ecosystem::{Debian, Go, Npm, PyPi};
    check(Npm, "+0 -1.2.3", "0.0.0-alpha", "hit 1.2.3");
    check(Npm, "+0 -1.2.3", "1.2.3-rc1", "hit 1.2.3");
    check(Npm, "+0 -1.2.3", "1.2.3", "miss");
    check(Npm, "+1.0.0", "0.9.0", "miss");
    check(Npm, "+1.0.0", "99.0.0", "hit");
    check(Npm, "+1.0.0 =1.5.0", "1.5.0", "hit");
    check(Npm, "+1.0.0 =1.5.0", "1.5.1", "miss");
    check(Npm, "+1.0.0 -1.5.0 +2.0.0 -2.5.0", "1.7.0", "miss");
    check(Npm, "+1.0.0 -1.5.0 +2.0.0 -2.5.0", "2.1.0", "hit 2.5.0");
    check(
        Go,
        "+0 -1.3.2",
        "v1.3.2-0.20210101000000-0123456789ab",
        "hit 1.3.2",
    );
    check(PyPi, "+0 -2.0", "2.0rc1", "hit 2.0");
    check(
        Debian,
        "+0 -1.1.1n-0+deb11u3",
        "1.1.1k-1+deb11u1",
        "hit 1.1.1n-0+deb11u3",
    );
}

#[test]
fn events_may_stand_in_any_order() {
    let events = "-2.5.0 +2.0.0 -1.5.0 +0";
    check(Ecosystem::Npm, events, "1.0.0", "hit 1.5.0");
    check(Ecosystem::Npm, events, "1.7.0", "miss");
    check(Ecosystem::Npm, events, "2.2.0", "hit 2.5.0");
}

#[test]
fn events_at_one_version_keep_their_order() {
    check(Ecosystem::Npm, "+1.0.0 -1.0.0", "1.0.0", "miss");
    check(
        Ecosystem::Npm,
        "+0 -1.0.0 +1.0.0 -2.0.0",
        "1.0.0",
        "hit 2.0.0",
    );
    check(Ecosystem::Npm, "+1.0.0 =1.0.0", "1.0.0", "hit");
    check(Ecosystem::Npm, "+1.0.0 =1.0.0", "1.0.1", "miss");
}

#[test]
fn a_limit_ends_what_the_range_says() {
    check(Ecosystem::Npm, "+0 <2.0.0", "1.9.9", "hit");
    check(Ecosystem::Npm, "+0 <2.0.0", "2.0.0", "miss");
    check(Ecosystem::Npm, "+0 <2.0.0 <3.0.0", "2.0.0", "hit");
    check(Ecosystem::Npm, "+0 <2.0.0 <*", "9.0.0", "hit");
}

#[test]
fn what_cannot_be_ordered_is_said() {
    check(Ecosystem::Npm, "+0 -1.9.0b1", "1.0.0", "1.9.0b1");
    check(Ecosystem::Go, "+0 -1.9.0", "(devel)", "(devel)");
    check(Ecosystem::PyPi, "+0 =2.6.0-NA", "1.13.1+cpu", "2.6.0-NA");
}

#[test]
fn versions_or_ranges() {
    let bad = || range(RangeScheme::Ecosystem, "+0 -nonsense");
    let good = || range(RangeScheme::Ecosystem, "+0 -1.0.0");
    let npm = Ecosystem::Npm;
    let listed = affected(npm, &["1.0.0", "3.0.0-odd..one"], vec![bad()]);
    check_compiled(npm, &listed, "1.0.0", "hit");
    check_compiled(npm, &listed, "3.0.0-odd..one", "hit");
    check_compiled(npm, &listed, "1.0.1", "nonsense");
    let two = affected(npm, &[], vec![bad(), good()]);
    check_compiled(npm, &two, "0.5.0", "hit 1.0.0");
    check_compiled(npm, &two, "1.5.0", "nonsense");
    let either = affected(npm, &["2.0.0"], vec![good()]);
    check_compiled(npm, &either, "1.5.0", "miss");
    check_compiled(npm, &either, "2.0.0", "hit");
    let silent = affected(npm, &[], Vec::new());
    let verdict = silent.judge(&Candidate::new(npm, "1.0.0"));
    assert_eq!(verdict, Verdict::Unknown(Unmatched::VersionsNotStated));
}

#[test]
fn semver_ranges_use_semver_everywhere() {
    let maven = Ecosystem::Maven;
    let semver = affected(maven, &[], vec![range(RangeScheme::Semver, "+0 -1.0.0")]);
    // Maven itself puts an unknown qualifier above the release.
    check_compiled(maven, &semver, "1.0.0-jre", "hit 1.0.0");
    check(maven, "+0 -1.0.0", "1.0.0-jre", "miss");
    check_compiled(maven, &semver, "1.0.0.Final", "1.0.0.Final");
}

#[test]
fn the_lowest_fix_above_wins() {
    let ranges = ["+0 -3.0.0", "+1.0.0 -1.4.0", "+2.0.0 -2.1.0"]
        .map(|events| range(RangeScheme::Ecosystem, events));
    let compiled = affected(Ecosystem::Npm, &[], ranges.to_vec());
    check_compiled(Ecosystem::Npm, &compiled, "1.1.0", "hit 1.4.0");
    check_compiled(Ecosystem::Npm, &compiled, "1.5.0", "hit 3.0.0");
}
