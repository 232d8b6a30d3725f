//! DAMAGED: a record of which parts cannot be read hits what the record without these parts hits; of what
//! neither hits, nobody says that it is not affected; and each damaged record says so or is refused.

use std::collections::BTreeSet;

use jobengine_impact::advisory::osv;
use jobengine_impact::matcher::Matcher;
use jobengine_impact::package::Package;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// A part of a record that is as it should be, or odd.
#[derive(Debug, Clone)]
struct Part {
    sound: Value,
    odd: Option<Value>,
}

/// An entry of `affected`: a package, ranges and listed versions. An odd one is no entry at all.
#[derive(Debug, Clone)]
struct Entry {
    package: &'static str,
    ranges: Vec<Part>,
    versions: Vec<Part>,
    odd: Option<Value>,
}

fn odd_value() -> impl Strategy<Value = Value> {
    select(vec![json!(7), json!("x"), json!(true), json!([[]])])
}

fn part(
    sound: impl Strategy<Value = Value>,
    odd: impl Strategy<Value = Value>,
) -> impl Strategy<Value = Part> {
    let odd = prop::option::weighted(0.3, odd);
    (sound, odd).prop_map(|(sound, odd)| Part { sound, odd })
}

fn range() -> impl Strategy<Value = Part> {
    let sound = (0..4_u32, 1..4_u32).prop_map(|(from, length)| {
        json!({"type": "SEMVER", "events": [
            {"introduced": format!("{from}.0.0")}, {"fixed": format!("{}.0.0", from + length)}]})
    });
    let introduced = json!({"introduced": "0"});
    let odd = select(vec![
        json!({"type": 3, "events": [introduced]}),
        json!({"type": "RPM", "events": [introduced]}),
        json!({"events": [introduced]}),
        json!({"type": "SEMVER", "events": [introduced, {}]}),
        json!({"type": "SEMVER", "events": [{}]}),
        json!({"type": "SEMVER", "events": [introduced, {"fixed": 2}]}),
        json!({"type": "SEMVER", "events": 7}),
        json!(7),
    ]);
    part(sound, odd)
}

fn version() -> impl Strategy<Value = Part> {
    let sound = (0..8_u32).prop_map(|major| json!(format!("{major}.0.0")));
    part(sound, select(vec![json!(7), json!({}), json!(null)]))
}

fn entry() -> impl Strategy<Value = Entry> {
    let odd = prop::option::weighted(0.1, odd_value());
    let package = select(&["npm/a", "npm/b"][..]);
    let parts = (vec(range(), 0..3), vec(version(), 0..3));
    (package, parts, odd).prop_map(|(package, (ranges, versions), odd)| Entry {
        package,
        ranges,
        versions,
        odd,
    })
}

/// The parts of a list, those that are odd replaced or left out.
fn list(parts: &[Part], damaged: bool) -> Vec<&Value> {
    parts
        .iter()
        .filter_map(|part| match &part.odd {
            Some(odd) => damaged.then_some(odd),
            None => Some(&part.sound),
        })
        .collect()
}

impl Entry {
    fn json(&self, damaged: bool) -> Value {
        let name = self.package.trim_start_matches("npm/");
        json!({
            "package": {"ecosystem": "npm", "name": name},
            "ranges": list(&self.ranges, damaged), "versions": list(&self.versions, damaged),
        })
    }

    fn is_readable(&self) -> bool {
        let mut parts = self.ranges.iter().chain(&self.versions);
        self.odd.is_none() && parts.any(|part| part.odd.is_none())
    }

    fn is_damaged(&self) -> bool {
        let mut parts = self.ranges.iter().chain(&self.versions);
        self.odd.is_some() || parts.any(|part| part.odd.is_some())
    }

    fn says_nothing(&self) -> bool {
        self.ranges.is_empty() && self.versions.is_empty()
    }
}

fn record(affected: &[Value], withdrawn: bool, modified: &Value) -> String {
    let withdrawn = withdrawn.then_some("2024-01-01T00:00:00Z");
    json!({"id": "X-1", "modified": modified, "withdrawn": withdrawn, "affected": affected})
        .to_string()
}

/// What a record says of each version of a package: hit, unknown or nothing.
fn verdicts(text: &str) -> Option<BTreeSet<(String, &'static str)>> {
    let advisory = osv::read(text.as_bytes()).ok()?;
    let matcher = Matcher::new([&advisory]);
    let mut verdicts = BTreeSet::new();
    for package in ["npm/a", "npm/b"] {
        for major in 0..9 {
            let version = format!("{major}.0.0");
            let judged = Package {
                key: package.parse().expect("a key"),
                version: version.clone(),
            };
            let judged = matcher.judge(&judged);
            let verdict = match (judged.hits.len(), judged.unmatched.len()) {
                (0, 0) => continue,
                (0, _) => "unknown",
                _ => "hit",
            };
            verdicts.insert((format!("{package}@{version}"), verdict));
        }
    }
    Some(verdicts)
}

proptest! {
    #[test]
    fn damaged_what_can_be_read_counts(
        entries in vec(entry(), 0..4),
        withdrawn in prop::bool::weighted(0.1),
        modified in prop_oneof![3 => Just(json!("2024-01-01T00:00:00Z")), 1 => odd_value()],
    ) {
        let damaged: Vec<Value> = entries
            .iter()
            .map(|entry| entry.odd.clone().unwrap_or_else(|| entry.json(true)))
            .collect();
        let sound: Vec<Value> = entries
            .iter()
            .filter(|entry| entry.is_readable())
            .map(|entry| entry.json(false))
            .collect();
        let text = record(&damaged, withdrawn, &modified);
        let read = osv::read(text.as_bytes());
        let is_readable = entries.iter().any(Entry::is_readable);
        let lacks = entries.iter().any(|entry| entry.is_damaged() || entry.says_nothing());
        prop_assert_eq!(read.is_err(), !withdrawn && lacks && !is_readable, "{}", text);
        let Ok(advisory) = read else { return Ok(()) };
        let modified_odd = !modified.is_string();
        prop_assert_eq!(
            !advisory.unread.is_empty(),
            modified_odd || lacks && !withdrawn,
            "{}: {:?}", text, advisory.unread
        );

        let found = verdicts(&text).expect("it was read");
        let without = verdicts(&record(&sound, withdrawn, &modified)).expect("it can be read");
        let hits = |all: &BTreeSet<(String, &'static str)>| -> BTreeSet<String> {
            let hits = all.iter().filter(|(_, verdict)| *verdict == "hit");
            hits.map(|(package, _)| package.clone()).collect()
        };
        prop_assert_eq!(hits(&found), hits(&without), "{}", text);
        for entry in entries.iter().filter(|entry| entry.odd.is_none() && entry.is_damaged()) {
            for major in (0..9).filter(|_| !withdrawn) {
                let package = format!("{}@{major}.0.0", entry.package);
                let known = found.iter().any(|(name, _)| *name == package);
                prop_assert!(known, "{}: nothing is said of {}", text, package);
            }
        }
    }
}
