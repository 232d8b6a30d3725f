//! Advisories in the OSV schema (<https://ossf.github.io/osv-schema/>).
//!
//! Facts are kept, prose is not. Unknown fields are stepped over; known ones must have their type,
//! because a range that is misread is worse than a record that is refused.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::{Advisory, Affected, Range, RangeEvent, RangeScheme};
use crate::document::{self, Document, DocumentCode, DocumentError};
use crate::package::{Ecosystem, PackageKey};
use crate::purl::pep_503;
use crate::severity::SeverityVector;

/// Bytes of one record. The largest real ones list every release of a kernel.
pub const ADVISORY_MAX_BYTES: usize = 16 * 1024 * 1024;

/// How [`Advisory::unsupported`] names ranges over commits.
const GIT: &str = "GIT";

/// Reads one record.
///
/// A record that affects nothing (withdrawn, or without `affected`) is as good as any other. A
/// package whose ecosystem is not judged here, or that has only ranges over commits, is noted in
/// [`Advisory::unsupported`].
///
/// # Errors
/// What [`Document::check`] and [`Document::parse`] refuse; [`DocumentCode::AdvisoryIdMissing`];
/// [`DocumentCode::AdvisoryRangeMissing`] where a package of a known ecosystem has neither ranges
/// nor versions; [`DocumentCode::AdvisoryFieldInvalid`].
pub fn read(bytes: &[u8]) -> Result<Advisory, DocumentError> {
    read_record(&Document::check(bytes, ADVISORY_MAX_BYTES)?)
}

/// Reads a file of records: one, a JSON array of them, or JSON Lines. A record that is refused does
/// not take the others with it.
pub fn read_all(bytes: &[u8]) -> impl Iterator<Item = Result<Advisory, DocumentError>> {
    let records = document::records(bytes, ADVISORY_MAX_BYTES);
    records.into_iter().map(|record| read_record(&record?))
}

#[derive(Deserialize)]
struct Record {
    id: Option<String>,
    modified: Option<String>,
    withdrawn: Option<IgnoredAny>,
    aliases: Option<BTreeSet<String>>,
    upstream: Option<BTreeSet<String>>,
    severity: Option<Vec<Vector>>,
    database_specific: Option<DatabaseSpecific>,
    affected: Option<Vec<AffectedEntry>>,
}

#[derive(Deserialize)]
struct Vector {
    #[serde(rename = "type")]
    kind: Option<String>,
    score: Option<String>,
}

/// Databases put what they like here; only what is a word or a number is of use.
#[derive(Deserialize)]
struct DatabaseSpecific {
    severity: Option<Value>,
    cvss_score: Option<Value>,
}

#[derive(Deserialize)]
struct AffectedEntry {
    package: Option<PackageEntry>,
    ranges: Option<Vec<RangeEntry>>,
    versions: Option<BTreeSet<String>>,
    severity: Option<Vec<Vector>>,
}

#[derive(Deserialize)]
struct PackageEntry {
    ecosystem: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct RangeEntry {
    #[serde(rename = "type")]
    kind: Option<String>,
    events: Option<Vec<EventEntry>>,
}

/// One event; records of before 2022 put several into one object.
#[derive(Deserialize)]
struct EventEntry {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
    limit: Option<String>,
}

fn read_record(document: &Document<'_>) -> Result<Advisory, DocumentError> {
    let record: Record = document.parse(DocumentCode::AdvisoryFieldInvalid)?;
    let Some(id) = record.id.filter(|id| !id.trim().is_empty()) else {
        return Err(document.refuse(
            DocumentCode::AdvisoryIdMissing,
            "id",
            "the record has no id",
        ));
    };
    let withdrawn = record.withdrawn.is_some();
    let mut affected = Vec::new();
    let mut unsupported = BTreeSet::new();
    for (index, entry) in record.affected.unwrap_or_default().into_iter().enumerate() {
        let reader = EntryReader {
            document,
            id: &id,
            index,
            withdrawn,
        };
        match reader.read(entry)? {
            Entry::Affected(it) => affected.push(it),
            Entry::Unsupported(ecosystem) => {
                unsupported.insert(ecosystem);
            }
            Entry::Nothing => {}
        }
    }
    let aliases = record
        .aliases
        .unwrap_or_default()
        .into_iter()
        .filter(|it| *it != id)
        .collect();
    Ok(Advisory {
        id,
        aliases,
        upstream: record.upstream.unwrap_or_default(),
        withdrawn,
        modified: record.modified.unwrap_or_default(),
        severity: vectors(record.severity),
        database_severity: record.database_specific.and_then(DatabaseSpecific::word),
        affected,
        unsupported,
    })
}

impl DatabaseSpecific {
    /// The word before the number, as the more deliberate of the two.
    fn word(self) -> Option<String> {
        [self.severity, self.cvss_score]
            .into_iter()
            .flatten()
            .find_map(|value| match value {
                Value::String(word) if !word.is_empty() => Some(word),
                Value::Number(score) => Some(score.to_string()),
                _ => None,
            })
    }
}

fn vectors(entries: Option<Vec<Vector>>) -> Vec<SeverityVector> {
    let entries = entries.unwrap_or_default().into_iter();
    entries
        .filter_map(|entry| {
            Some(SeverityVector {
                kind: entry.kind?,
                score: entry.score?,
            })
        })
        .collect()
}

/// What one entry of `affected` comes to.
enum Entry {
    Affected(Affected),
    Unsupported(String),
    /// A withdrawn record need not say which versions it once meant.
    Nothing,
}

/// Reads `affected[index]` of a record.
struct EntryReader<'a, 'd> {
    document: &'a Document<'d>,
    id: &'a str,
    index: usize,
    withdrawn: bool,
}

impl EntryReader<'_, '_> {
    fn read(&self, entry: AffectedEntry) -> Result<Entry, DocumentError> {
        let Some(package) = entry.package else {
            return Ok(Entry::Unsupported(GIT.to_owned()));
        };
        let ecosystem = package.ecosystem.filter(|it| !it.is_empty());
        let ecosystem = ecosystem.ok_or_else(|| self.invalid("package.ecosystem", "is missing"))?;
        let name = package.name.filter(|it| !it.is_empty());
        let name = name.ok_or_else(|| self.invalid("package.name", "is missing"))?;
        let Some(package) = package_key(&ecosystem, &name) else {
            return Ok(Entry::Unsupported(ecosystem));
        };

        let versions = entry.versions.unwrap_or_default();
        let mut over_commits = false;
        let mut ranges = Vec::new();
        for (index, range) in entry.ranges.unwrap_or_default().into_iter().enumerate() {
            match self.scheme(index, range.kind.as_deref())? {
                Some(scheme) => {
                    let events = self.events(index, range.events.unwrap_or_default())?;
                    if !events.is_empty() {
                        ranges.push(Range { scheme, events });
                    }
                }
                None => over_commits = true,
            }
        }
        if !ranges.is_empty() || !versions.is_empty() {
            let severity = vectors(entry.severity);
            return Ok(Entry::Affected(Affected {
                package,
                versions,
                ranges,
                severity,
            }));
        }
        if over_commits {
            return Ok(Entry::Unsupported(GIT.to_owned()));
        }
        if self.withdrawn {
            return Ok(Entry::Nothing);
        }
        Err(self.document.refuse(
            DocumentCode::AdvisoryRangeMissing,
            format_args!("affected[{}].ranges", self.index),
            format_args!(
                "{} names {package}, but no range and no version of it",
                self.id
            ),
        ))
    }

    /// `None`: a range over commits.
    fn scheme(
        &self,
        range: usize,
        kind: Option<&str>,
    ) -> Result<Option<RangeScheme>, DocumentError> {
        match kind {
            Some("SEMVER") => Ok(Some(RangeScheme::Semver)),
            Some("ECOSYSTEM") => Ok(Some(RangeScheme::Ecosystem)),
            Some(GIT) => Ok(None),
            _ => {
                let field = format!("ranges[{range}].type");
                Err(self.invalid(&field, "is not SEMVER, ECOSYSTEM or GIT"))
            }
        }
    }

    fn events(
        &self,
        range: usize,
        entries: Vec<EventEntry>,
    ) -> Result<Vec<RangeEvent>, DocumentError> {
        let mut events = Vec::with_capacity(entries.len());
        for (index, entry) in entries.into_iter().enumerate() {
            let before = events.len();
            events.extend(entry.introduced.map(RangeEvent::Introduced));
            events.extend(entry.fixed.map(RangeEvent::Fixed));
            events.extend(entry.last_affected.map(RangeEvent::LastAffected));
            events.extend(entry.limit.map(RangeEvent::Limit));
            if events.len() == before {
                let field = format!("ranges[{range}].events[{index}]");
                let detail = "has none of introduced, fixed, last_affected and limit";
                return Err(self.invalid(&field, detail));
            }
        }
        Ok(events)
    }

    fn invalid(&self, field: &str, detail: &str) -> DocumentError {
        self.document.refuse(
            DocumentCode::AdvisoryFieldInvalid,
            format_args!("affected[{}].{field}", self.index),
            format_args!("{}: {field} {detail}", self.id),
        )
    }
}

/// The key under which components are looked up; `None` where the ecosystem is not judged.
///
/// Debian without a release is not: every release has its own fixed versions. A suffix on any other
/// ecosystem (`Maven:https://…`) names another registry, whose packages are not the known ones.
fn package_key(ecosystem: &str, name: &str) -> Option<PackageKey> {
    let (system, release) = ecosystem.split_once(':').unwrap_or((ecosystem, ""));
    let ecosystem = Ecosystem::ALL
        .into_iter()
        .find(|known| known.as_str() == system)?;
    if (ecosystem == Ecosystem::Debian) == release.is_empty() {
        return None;
    }
    let name = match ecosystem {
        Ecosystem::PyPi => pep_503(name),
        Ecosystem::Cargo
        | Ecosystem::Debian
        | Ecosystem::Go
        | Ecosystem::Maven
        | Ecosystem::Npm => name.to_owned(),
    };
    Some(PackageKey {
        ecosystem,
        release: release.to_owned(),
        name,
    })
}

#[cfg(test)]
mod tests;
