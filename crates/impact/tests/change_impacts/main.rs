//! The whole history of real advisories over a fleet of real images, compared with answers worked
//! out by third-party version comparators. Skipped where the data folder is absent.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

#[path = "../data/mod.rs"]
mod data;
mod fleet;
mod unread;

use std::collections::{BTreeMap, BTreeSet};

use croaring::Bitmap;
use jobengine_impact::advisory::{Advisory, osv};
use jobengine_impact::delta::AdvisoryDelta;
use jobengine_impact::document::{DocumentCode, DocumentError};
use jobengine_impact::evaluate::{ImageInput, Scope, evaluate};
use jobengine_impact::impact::impact;
use jobengine_impact::kev::KevCatalogue;
use jobengine_impact::matcher::Matcher;
use jobengine_impact::vex::{Statement, openvex};
use serde_json::Value;

use crate::fleet::{Fleet, Place, fleet, text};

/// Sources with a history in ecosystems that are read here.
const SOURCES: [&str; 6] = [
    "crates",
    "debian",
    "ghsa-selected",
    "go",
    "npm-retirejs",
    "pypi",
];
/// Of the changes that the answers call without effect every so many-th is replayed, by `seq`.
const QUIET_SAMPLE: u64 = 8;

/// The record of a line of `advisories/`; none for a deletion and for a record that names no version
/// at all. The reader refuses a few real ones.
fn advisory(line: &Value) -> Result<Option<Advisory>, DocumentError> {
    let Some(record) = line.get("advisory").filter(|record| !record.is_null()) else {
        return Ok(None);
    };
    match osv::read(&serde_json::to_vec(record).unwrap()) {
        Ok(advisory) => Ok(Some(advisory)),
        Err(error) if error.code == DocumentCode::AdvisoryRangeMissing => Ok(None),
        Err(error) => Err(error),
    }
}

fn places(value: &Value) -> BTreeSet<Place> {
    serde_json::from_value(value.clone()).unwrap()
}

/// Answers that the rules leave open: (advisory, version).
fn uncertain() -> BTreeSet<(String, String)> {
    let lines = data::json_lines("expected/uncertain.jsonl.zst").unwrap();
    let version = |line: &Value| line["version"].as_str().unwrap_or_default().to_owned();
    lines
        .iter()
        .map(|line| (text(line, "id").to_owned(), version(line)))
        .collect()
}

/// Replays changes record by record against the answers, and commit by commit against the rule:
/// an image outside the impact set has the same findings before and after.
struct Replay<'f> {
    fleet: &'f Fleet,
    open: BTreeSet<(String, String)>,
    /// The records that the commit at hand changed, as they were and as they are.
    commit: (Vec<Advisory>, Vec<Advisory>),
    tally: Tally,
}

#[derive(Debug, Default)]
struct Tally {
    records: usize,
    records_with_effect: usize,
    records_refused: usize,
    records_read_in_part: usize,
    commits: usize,
    commits_without_delta: usize,
    commits_with_harmless_delta: usize,
    images_impacted: u64,
    images_changed: u64,
}

#[test]
fn no_change_of_an_advisory_is_missed() {
    let Some(fleet) = fleet() else { return };
    let expected = data::json_lines("expected/change-impacts.jsonl.zst").unwrap();
    let expected: BTreeMap<(&str, u64), &Value> = expected
        .iter()
        .map(|line| ((text(line, "source"), line["seq"].as_u64().unwrap()), line))
        .collect();
    let mut replay = Replay {
        fleet,
        open: uncertain(),
        commit: Default::default(),
        tally: Tally::default(),
    };
    for source in SOURCES {
        let mut state: BTreeMap<String, Value> = BTreeMap::new();
        for line in data::json_lines(&format!("advisories/{source}.base.jsonl.zst")).unwrap() {
            state.insert(text(&line, "file").to_owned(), line);
        }
        let mut commit = Value::Null;
        let changes = format!("advisories/{source}.changes.jsonl.zst");
        for line in data::json_lines(&changes).unwrap() {
            if line["commit"] != commit {
                replay.commit_ends();
                commit = line["commit"].clone();
            }
            let file = text(&line, "file").to_owned();
            let before = state.remove(&file);
            let seq = line["seq"].as_u64().unwrap();
            let answer = expected.get(&(source, seq)).copied();
            if answer.is_some() || seq.is_multiple_of(QUIET_SAMPLE) {
                let before = before.as_ref().map_or(Ok(None), advisory);
                match (before, advisory(&line)) {
                    (Ok(before), Ok(after)) => replay.record(before, after, answer),
                    (Err(_), _) | (_, Err(_)) => replay.tally.records_refused += 1,
                }
            }
            if text(&line, "op") != "delete" {
                state.insert(file, line);
            }
        }
        replay.commit_ends();
    }
    let tally = replay.tally;
    println!("{tally:#?}");
    assert!(tally.records_with_effect > 1_000);
    // Some versions of real records hold nothing but events without a version; the reader refuses those.
    assert!(tally.records_refused < tally.records / 30);
    assert!(tally.records_read_in_part > 10);
    assert!(
        tally.commits_without_delta > 0,
        "some commits only rename or reword"
    );
    assert!(
        tally.images_impacted < 2 * tally.images_changed,
        "the impact set is not the fleet"
    );
}

impl Replay<'_> {
    fn record(
        &mut self,
        before: Option<Advisory>,
        after: Option<Advisory>,
        answer: Option<&Value>,
    ) {
        let Some(id) = before.iter().chain(&after).map(|one| one.id.clone()).next() else {
            return;
        };
        let had = self.fleet.places_hit(before.as_slice());
        let has = self.fleet.places_hit(after.as_slice());
        let wanted = |name: &str| answer.map(|line| places(&line[name])).unwrap_or_default();
        // The answers pass over an event without a version as if it were not there, so that a range without its
        // end hits every version. Here such a range is not read, and nothing is said of these components.
        let mut unsaid = BTreeSet::new();
        for advisory in before
            .iter()
            .chain(&after)
            .filter(|one| !one.unread.is_empty())
        {
            unsaid.extend(self.fleet.places_unsaid(advisory));
            self.tally.records_read_in_part += 1;
        }
        let certain = |places: BTreeSet<Place>| self.certain(&id, &places - &unsaid);
        assert_eq!(certain(&has - &had), certain(wanted("added")), "{id} gains");
        assert_eq!(
            certain(&had - &has),
            certain(wanted("removed")),
            "{id} loses"
        );
        self.tally.records += 1;
        self.tally.records_with_effect += usize::from(had != has);
        self.commit.0.extend(before);
        self.commit.1.extend(after);
    }

    fn certain(&self, id: &str, places: BTreeSet<Place>) -> BTreeSet<Place> {
        let is_open = |place: &Place| {
            self.open
                .contains(&(id.to_owned(), self.fleet.version(*place)))
        };
        places
            .into_iter()
            .filter(|place| self.fleet.is_answered(*place) && !is_open(place))
            .collect()
    }

    fn commit_ends(&mut self) {
        let (before, after) = std::mem::take(&mut self.commit);
        if before.is_empty() && after.is_empty() {
            return;
        }
        let kev = KevCatalogue::default();
        let delta = AdvisoryDelta::between(&before, &kev, &after, &kev);
        let impact = impact(&self.fleet.index, &delta);
        let (had, has) = (self.fleet.findings(&before), self.fleet.findings(&after));
        let changed: Bitmap = had
            .symmetric_difference(&has)
            .map(|((line, _), _, _)| *line)
            .collect();
        assert!(changed.is_subset(&impact.images), "{delta:#?}");
        let tally = &mut self.tally;
        tally.commits += 1;
        tally.commits_without_delta += usize::from(delta.is_empty());
        tally.commits_with_harmless_delta +=
            usize::from(changed.is_empty() && !impact.images.is_empty());
        tally.images_impacted += impact.images.cardinality();
        tally.images_changed += changed.cardinality();
    }
}

#[test]
fn findings_at_head_are_the_expected_ones() {
    let Some(fleet) = fleet() else { return };
    let advisories = head();
    let mut hits = BTreeSet::new();
    fleet.each_hit(&advisories, |places, hit| {
        hits.extend(
            places
                .iter()
                .map(|place| (*place, hit.flaw.advisory.clone())),
        );
    });
    let mut wanted = BTreeSet::new();
    for image in data::json_lines("expected/state-head.jsonl.zst").unwrap() {
        let line = u32::try_from(image["line"].as_u64().unwrap()).unwrap();
        for row in image["findings"].as_array().unwrap() {
            let place = (line, usize::try_from(row[0].as_u64().unwrap()).unwrap());
            if !fleet.purl(place).starts_with("pkg:composer/") {
                wanted.insert((place, row[2].as_str().unwrap().to_owned()));
            }
        }
    }
    let (hits, others) = hits
        .into_iter()
        .partition::<BTreeSet<_>, _>(|(place, _)| fleet.is_answered(*place));
    check_unanswered(fleet, &hits, &others);
    let open = uncertain();
    let names = |rows: Vec<&(Place, String)>| -> Vec<String> {
        rows.into_iter()
            .filter(|(place, id)| !open.contains(&(id.clone(), fleet.version(*place))))
            .map(|(place, id)| format!("{} {id}", fleet.purl(*place)))
            .collect()
    };
    let agreed = hits.intersection(&wanted).count();
    println!("{agreed} findings agree");
    assert_eq!(
        names(hits.difference(&wanted).collect()),
        [""; 0],
        "too many"
    );
    assert_eq!(
        names(wanted.difference(&hits).collect()),
        [""; 0],
        "missing"
    );
    assert!(agreed > 10_000);
}

/// A component that the answers leave out has the findings of every component that they cover and that is
/// the same package at the same version.
fn check_unanswered(
    fleet: &Fleet,
    answered: &BTreeSet<(Place, String)>,
    others: &BTreeSet<(Place, String)>,
) {
    let ids = |hits: &BTreeSet<(Place, String)>, place: Place| -> BTreeSet<String> {
        let from = (place, String::new());
        let of_place = hits.range(from..).take_while(|(at, _)| *at == place);
        of_place.map(|(_, id)| id.clone()).collect()
    };
    let (mut compared, mut alone) = (0, 0);
    for (package, places) in &fleet.places {
        let (known, left_out) = places
            .iter()
            .partition::<Vec<Place>, _>(|place| fleet.is_answered(**place));
        for place in left_out {
            let assumed = fleet.component(place).source_assumed;
            assert!(assumed || fleet.purl(place).contains("upstream="));
            match known.first() {
                Some(known) => assert_eq!(ids(others, place), ids(answered, *known), "{package:?}"),
                None => alone += usize::from(!ids(others, place).is_empty()),
            }
            compared += known.len().min(1);
        }
    }
    println!(
        "{} findings of components without an answer; {compared} of these components are the same as one \
         with an answer, {alone} others have findings",
        others.len()
    );
    assert!(compared > 1_000);
}

fn head() -> Vec<Advisory> {
    let lines = data::json_lines("advisories/all.head.jsonl.zst").unwrap();
    lines
        .iter()
        .filter_map(|line| osv::read(&serde_json::to_vec(line).unwrap()).ok())
        .collect()
}

/// The statements of the last version of each document.
fn statements() -> Vec<Statement> {
    let mut documents = BTreeMap::new();
    for line in data::json_lines("vex/openvex-rancher.history.jsonl.zst").unwrap() {
        documents.insert(text(&line, "file").to_owned(), line["document"].clone());
    }
    let read = |document: &Value| openvex::read(&serde_json::to_vec(document).unwrap()).unwrap();
    documents.values().flat_map(read).collect()
}

#[test]
fn vex_takes_away_the_expected_findings() {
    let Some(fleet) = fleet() else { return };
    let names: Vec<[String; 1]> = fleet
        .lines
        .iter()
        .map(|line| [text(line, "image").to_owned()])
        .collect();
    let keys: Vec<String> = (0..fleet.lines.len())
        .map(|line| line.to_string())
        .collect();
    let images =
        fleet
            .lines
            .iter()
            .zip(&fleet.components)
            .enumerate()
            .map(|(at, (line, components))| {
                let digest = line["digest"].as_str();
                ImageInput {
                    image: &keys[at],
                    digest,
                    names: &names[at],
                    components,
                }
            });
    let matcher = Matcher::new(&head());
    let evaluation = evaluate(
        images,
        &Scope::All,
        &matcher,
        &KevCatalogue::default(),
        &statements(),
    );
    let mut found = BTreeSet::new();
    for finding in evaluation
        .findings
        .iter()
        .filter(|finding| finding.status.suppresses())
    {
        for advisory in &finding.advisories {
            found.insert((
                finding.image.clone(),
                finding.purl.clone(),
                advisory.clone(),
            ));
        }
    }
    let wanted: BTreeSet<_> = data::json_lines("expected/vex-suppressed-head.jsonl.zst")
        .unwrap()
        .iter()
        .map(|row| {
            let line = u32::try_from(row["line"].as_u64().unwrap()).unwrap();
            let place = usize::try_from(row["pos"].as_u64().unwrap()).unwrap();
            let purl = fleet.purl((line, place)).to_owned();
            (line.to_string(), purl, text(row, "id").to_owned())
        })
        .collect();
    println!(
        "{} of {} findings taken away",
        found.intersection(&wanted).count(),
        wanted.len()
    );
    assert_eq!(found, wanted);
}
