//! The advisories at both dates, and which of them the demo takes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::package::PackageName;
use super::record::{Record, Score};
use super::{ADVISORIES_WANTED, AFTER, BEFORE, read_lines};

/// A database of advisories in the data folder.
pub(super) struct Source {
    /// Start of its file names.
    pub(super) name: &'static str,
    /// Where it is published.
    pub(super) upstream: &'static str,
    /// Under which licence; see [`super::sources`] for the notices.
    pub(super) licence: &'static str,
    /// The commit its base was read at; empty where the folder names none.
    pub(super) base_commit: &'static str,
    /// Whether it has a file of changes.
    has_changes: bool,
}

/// The databases the demo draws on: those whose ecosystems `JobEngine` can judge.
pub(super) const SOURCES: &[Source] = &[
    Source {
        name: "crates",
        upstream: "https://github.com/rustsec/advisory-db",
        licence: "CC0-1.0 (records imported from GHSA: CC-BY-4.0)",
        base_commit: "055b8b47927e",
        has_changes: true,
    },
    Source {
        name: "debian",
        upstream: "https://salsa.debian.org/security-tracker-team/security-tracker",
        licence: "no licence file; facts only",
        base_commit: "32127b7f220c",
        has_changes: true,
    },
    Source {
        name: "ghsa-selected",
        upstream: "https://github.com/github/advisory-database",
        licence: "CC-BY-4.0",
        base_commit: "",
        has_changes: true,
    },
    Source {
        name: "go",
        upstream: "https://github.com/golang/vulndb",
        licence: "CC-BY-4.0",
        base_commit: "708d76d38d76",
        has_changes: true,
    },
    Source {
        name: "npm-nodejs-wg",
        upstream: "https://github.com/nodejs/security-wg",
        licence: "MIT",
        base_commit: "f1288d0d6723",
        has_changes: false,
    },
    Source {
        name: "npm-retirejs",
        upstream: "https://github.com/RetireJS/retire.js",
        licence: "Apache-2.0",
        base_commit: "ff18951d4831",
        has_changes: true,
    },
    Source {
        name: "pypi",
        upstream: "https://github.com/westonsteimel/advisory-database-pypa",
        licence: "CC-BY-4.0",
        base_commit: "1cb9a0e3d3bf",
        has_changes: true,
    },
];

/// The records of one source by file. The file is the identity: an id may change.
type Records = BTreeMap<String, Record>;

/// One source at both dates.
pub(super) struct History {
    pub(super) source: &'static Source,
    /// At [`BEFORE`].
    pub(super) before: Snapshot,
    /// At [`AFTER`].
    pub(super) after: Snapshot,
}

/// One source at one date.
pub(super) struct Snapshot {
    /// Commit and time of the newest change in it; `None` while it is still the base.
    pub(super) newest: Option<(String, String)>,
    records: Records,
}

#[derive(Deserialize)]
struct BaseLine {
    file: String,
    advisory: Value,
}

#[derive(Deserialize)]
struct ChangeLine {
    file: String,
    op: String,
    commit: Option<String>,
    time: String,
    advisory: Option<Value>,
}

impl History {
    /// Replays one source up to both dates.
    pub(super) fn read(data: &Path, source: &'static Source) -> Result<Self> {
        let folder = data.join("advisories");
        let base: Vec<BaseLine> = read_lines(
            &folder.join(format!("{}.base.jsonl.zst", source.name)),
            |_| true,
        )?;
        let mut changes: Vec<ChangeLine> = Vec::new();
        if source.has_changes {
            let path = folder.join(format!("{}.changes.jsonl.zst", source.name));
            changes = read_lines(&path, |_| true)?;
        }

        let mut documents: BTreeMap<String, Value> = base
            .into_iter()
            .map(|line| (line.file, line.advisory))
            .collect();
        // A change never takes effect before an earlier line of its file, whatever its own time
        // says, so each snapshot ends at the first line that is later than its date.
        let later = |date: &str| {
            let first = changes
                .iter()
                .position(|change| change.time.as_str() > date);
            first.unwrap_or(changes.len())
        };
        let (until_before, until_after) = (later(BEFORE), later(AFTER));
        let mut newest = None;
        let mut before = None;
        for (index, change) in changes.into_iter().take(until_after).enumerate() {
            if index == until_before {
                before = Some(Snapshot::of(&documents, newest.clone(), source)?);
            }
            newest = Some((change.commit.unwrap_or_default(), change.time));
            match change.op.as_str() {
                "delete" => documents.remove(&change.file),
                _ => documents.insert(change.file, change.advisory.unwrap_or_default()),
            };
        }
        let after = Snapshot::of(&documents, newest.clone(), source)?;
        let before = match before {
            Some(before) => before,
            None => Snapshot::of(&documents, newest, source)?,
        };
        Ok(Self {
            source,
            before,
            after,
        })
    }
}

impl Snapshot {
    fn of(
        documents: &BTreeMap<String, Value>,
        newest: Option<(String, String)>,
        source: &Source,
    ) -> Result<Self> {
        let records = documents
            .iter()
            .map(|(file, document)| {
                let record = Record::deserialize(document)
                    .with_context(|| format!("record {file} of {}", source.name))?;
                Ok((file.clone(), record))
            })
            .collect::<Result<_>>()?;
        Ok(Self { newest, records })
    }

    /// How many records the source had.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }
}

/// The records taken at each date.
pub(super) struct Cut<'a> {
    pub(super) before: Vec<&'a Record>,
    pub(super) after: Vec<&'a Record>,
}

/// Takes every record that names a package of `present` at either date, then all records of other
/// packages, in the order of their names' SHA-256, until [`ADVISORIES_WANTED`] are reached.
///
/// Whole packages, and a file's record at both dates when it is taken at one: so every change
/// between the snapshots is a change that the source made.
pub(super) fn cut<'a>(
    histories: &'a [History],
    present: &BTreeSet<PackageName>,
) -> Result<Cut<'a>> {
    type Place<'a> = (usize, &'a String);
    let mut places: BTreeMap<PackageName, BTreeSet<Place>> = BTreeMap::new();
    for (index, history) in histories.iter().enumerate() {
        for (file, record) in history.before.records.iter().chain(&history.after.records) {
            for package in record.packages() {
                places.entry(package).or_default().insert((index, file));
            }
        }
    }

    let (wanted, mut others): (Vec<_>, Vec<_>) = places
        .into_iter()
        .partition(|(package, _)| present.contains(package));
    others.sort_by_cached_key(|(package, _)| Sha256::digest(package.spelling()).to_vec());
    let mut taken: BTreeSet<Place> = wanted.into_iter().flat_map(|(_, places)| places).collect();
    let standing = |taken: &BTreeSet<Place>| {
        let stands = |place: &&Place| histories[place.0].after.records.contains_key(place.1);
        taken.iter().filter(stands).count()
    };
    for (_, places) in others {
        if standing(&taken) >= ADVISORIES_WANTED {
            break;
        }
        taken.extend(places);
    }

    let at = |snapshot: fn(&History) -> &Snapshot| -> Result<Vec<&'a Record>> {
        let mut records: Vec<&Record> = taken
            .iter()
            .filter_map(|(index, file)| snapshot(&histories[*index]).records.get(*file))
            .collect();
        records.sort_by(|a, b| a.id.cmp(&b.id));
        for pair in records.windows(2) {
            ensure!(
                pair[0].id != pair[1].id,
                "two records are called {}",
                pair[0].id
            );
        }
        Ok(records)
    };
    Ok(Cut {
        before: at(|history| &history.before)?,
        after: at(|history| &history.after)?,
    })
}

/// CVE → its vectors, CVSS v3 before v4.
pub(super) type Severities = BTreeMap<String, SeverityLine>;

/// The vectors of one CVE.
#[derive(Deserialize)]
pub(super) struct SeverityLine {
    cve: String,
    cvss_v3: Option<String>,
    cvss_v4: Option<String>,
}

/// Reads the vectors for CVEs whose advisories carry none.
pub(super) fn read_severities(data: &Path) -> Result<Severities> {
    let lines: Vec<SeverityLine> = read_lines(&data.join("severity/cve-cvss.jsonl.zst"), |_| true)?;
    Ok(lines
        .into_iter()
        .map(|line| (line.cve.clone(), line))
        .collect())
}

/// The records as the demo ships them: trimmed, and with vectors of their CVEs where they say
/// nothing themselves. Where any CVE has a v3 vector only v3 vectors are given, since v3 counts first.
pub(super) fn facts(records: &[&Record], severities: &Severities) -> Result<Vec<Record>> {
    let mut facts = Vec::with_capacity(records.len());
    for record in records {
        let mut record = (*record).clone().trimmed();
        if record.affected.is_empty() {
            continue;
        }
        if !record.has_severity() {
            let known: Vec<&SeverityLine> = record
                .cves()
                .filter_map(|cve| severities.get(cve))
                .collect();
            let mut scores = vectors(&known, "CVSS_V3", |line| line.cvss_v3.as_ref());
            if scores.is_empty() {
                scores = vectors(&known, "CVSS_V4", |line| line.cvss_v4.as_ref());
            }
            record.severity = scores.into_iter().collect();
        }
        facts.push(record);
    }
    ensure!(!facts.is_empty(), "no advisory is left");
    Ok(facts)
}

fn vectors(
    lines: &[&SeverityLine],
    kind: &str,
    vector: fn(&SeverityLine) -> Option<&String>,
) -> BTreeSet<Score> {
    let vectors = lines.iter().filter_map(|line| vector(line));
    vectors
        .map(|score| Score {
            kind: kind.to_owned(),
            score: score.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of a record answering `CVE-1` and `CVE-2`, with `own` before its end.
    fn check(own: &str, lines: &str, expected: &[&str]) {
        let record: Record = serde_json::from_str(&format!(
            r#"{{"id":"DSA-1","upstream":["CVE-1","CVE-2"],"affected":[{{"versions":["1"],
                "package":{{"ecosystem":"Debian:11","name":"a"}}}}]{own}}}"#
        ))
        .expect("a record");
        let lines: Vec<SeverityLine> = serde_json::from_str(lines).expect("lines");
        let severities = lines
            .into_iter()
            .map(|line| (line.cve.clone(), line))
            .collect();
        let facts = facts(&[&record], &severities).expect("facts");
        let scores = facts[0].severity.iter();
        let shown: Vec<String> = scores
            .map(|one| format!("{} {}", one.kind, one.score))
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_record_that_says_nothing_gets_the_vectors_of_its_cves() {
        let lines = r#"[{"cve":"CVE-1","cvss_v4":"four"},{"cve":"CVE-2","cvss_v3":"three"}]"#;
        check("", lines, &["CVSS_V3 three"]);
        check(
            "",
            r#"[{"cve":"CVE-1","cvss_v4":"four"}]"#,
            &["CVSS_V4 four"],
        );
        check("", "[]", &[]);
        check(r#","database_specific":{"severity":"LOW"}"#, lines, &[]);
        check(
            r#","severity":[{"type":"CVSS_V3","score":"own"}]"#,
            lines,
            &["CVSS_V3 own"],
        );
    }
}
