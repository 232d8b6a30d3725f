//! Version order against two oracles: the fixtures of OSV's own comparators, and dpkg itself.

mod data;

use std::cmp::Ordering;
use std::process::Command;

use jobengine_impact::version::{Scheme, Version};

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Right,
    Refused,
    Wrong,
}

/// Judges a line `1.0 < 1.1`.
fn judge(scheme: Scheme, line: &str) -> Answer {
    let words: Vec<_> = line.split(' ').collect();
    let [left, sign, right] = words[..] else {
        panic!("not a line of the fixtures: {line}")
    };
    let wanted = match sign {
        "<" => Ordering::Less,
        "=" => Ordering::Equal,
        ">" => Ordering::Greater,
        _ => panic!("no such sign: {line}"),
    };
    match (
        Version::parse_as(scheme, left),
        Version::parse_as(scheme, right),
    ) {
        (Ok(left), Ok(right)) if left.compare(&right) == Some(wanted) => Answer::Right,
        (Ok(_), Ok(_)) => Answer::Wrong,
        (Err(_), _) | (_, Err(_)) => Answer::Refused,
    }
}

/// Judges every line of the files whose name begins with `prefix`, and names the wrong ones.
fn check(scheme: Scheme, prefix: &str, refused: usize, wrong: &[&str]) {
    let Some(files) = data::json_lines("suites/osv-version-order.jsonl.zst") else {
        return;
    };
    let texts: Vec<_> = files
        .iter()
        .filter(|file| {
            file["path"]
                .as_str()
                .is_some_and(|path| path.contains(prefix))
        })
        .filter_map(|file| file["text"].as_str())
        .collect();
    let lines = || {
        texts
            .iter()
            .flat_map(|text| text.lines())
            .filter(|line| !line.is_empty() && !line.starts_with("//"))
    };
    let these = |answer: Answer| lines().filter(move |line| judge(scheme, line) == answer);
    println!(
        "{scheme:?}: {} right, {} refused, {} wrong of {}",
        these(Answer::Right).count(),
        these(Answer::Refused).count(),
        these(Answer::Wrong).count(),
        lines().count()
    );
    for line in these(Answer::Refused) {
        println!("  refused: {line}");
    }
    assert_eq!(
        these(Answer::Wrong).collect::<Vec<_>>(),
        wrong,
        "{scheme:?}"
    );
    assert_eq!(these(Answer::Refused).count(), refused, "{scheme:?}");
}

#[test]
fn debian_fixtures() {
    check(Scheme::Debian, "/debian-versions", 0, &[]);
}

#[test]
fn pypi_fixtures() {
    // Refused: what PEP 440 does not know as a version (`0.1-bulbasaur`, `trunk`, `0.7.10p1`).
    check(Scheme::Pep440, "/pypi-versions", 41, &[]);
}

#[test]
fn maven_fixtures() {
    // No order can hold this one: Maven also says 1.0.0.RC7-3 < 1.0.0 < 1.0.0-gradle-rework-beta3.
    check(
        Scheme::Maven,
        "/maven-versions",
        0,
        &["1.0.0-gradle-rework-beta3 < 1.0.0.RC7-3"],
    );
}

#[test]
fn semver_fixtures() {
    // Refused: a line with numbers of thirty digits, beyond 64 bits.
    check(Scheme::Semver, "/semver-versions", 1, &[]);
}

/// Compares pairs in one shell, because starting a process for each would take seconds more.
const ASK_DPKG: &str = r#"
while [ $# -gt 1 ]; do
    if dpkg --compare-versions "$1" lt "$2" 2>/dev/null; then echo "$1 < $2"
    elif dpkg --compare-versions "$1" gt "$2" 2>/dev/null; then echo "$1 > $2"
    else echo "$1 = $2"; fi
    shift 2
done"#;

const DPKG_PAIRS: usize = 400;

#[test]
fn dpkg_itself() {
    if Command::new("dpkg").arg("--version").output().is_err() {
        println!("skipped: dpkg is not there");
        return;
    }
    let versions = debian_versions(2 * DPKG_PAIRS);
    let output = Command::new("sh")
        .args(["-c", ASK_DPKG, "sh"])
        .args(&versions)
        .output()
        .expect("a shell runs where dpkg does");
    let answers = String::from_utf8(output.stdout).expect("dpkg answers in ASCII");
    assert_eq!(answers.lines().count(), DPKG_PAIRS);
    let wrong: Vec<_> = answers
        .lines()
        .filter(|line| judge(Scheme::Debian, line) != Answer::Right)
        .collect();
    assert!(wrong.is_empty(), "dpkg says otherwise: {wrong:#?}");
}

/// Valid versions in pairs of near neighbours, the same ones every time.
fn debian_versions(count: usize) -> Vec<String> {
    const PARTS: [&str; 16] = [
        "0", "00", "1", "9", "10", "a", "b", "Z", "~", "~~", "+", ".", "~rc1", "+b1", "deb11u",
        "09",
    ];
    // A linear congruential generator (constants of Knuth's MMIX) in place of chance.
    let mut state = 1_u64;
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    (0..count)
        .map(|_| {
            let mut part = |most: u64| {
                let length = next(most);
                (0..length)
                    .map(|_| PARTS[usize::try_from(next(16)).expect("below 16")])
                    .collect::<String>()
            };
            let (upstream, revision) = (part(3), part(3));
            let epoch = ["", "", "", "0:", "1:"][usize::try_from(next(5)).expect("below 5")];
            match revision.as_str() {
                "" => format!("{epoch}1{upstream}"),
                _ => format!("{epoch}1{upstream}-{revision}"),
            }
        })
        .collect()
}
