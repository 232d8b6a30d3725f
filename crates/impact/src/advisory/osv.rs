//! Advisories in the OSV schema (<https://ossf.github.io/osv-schema/>).
//!
//! Facts are kept, prose is not. Unknown fields are stepped over. A range that is misread is worse than
//! one that is not read, so a part that is not what the schema says does not count; the parts beside it
//! do, and the record says what is missing ([`Advisory::unread`]). A record of which nothing could be
//! read that affects a package is refused.

mod entry;
mod record;

use crate::document::{self, Document, DocumentCode, DocumentError, Piece};
use crate::severity::SeverityVector;

use self::entry::Entry;
use self::record::{Lenient, List, Named, Odd, Record, Texts, Vector};
use super::{Advisory, UNREAD_MAX, Unread};

/// Bytes of one record. The largest real ones list every release of a kernel.
pub const ADVISORY_MAX_BYTES: usize = 16 * 1024 * 1024;

/// How [`Advisory::unsupported`] names ranges over commits.
const GIT: &str = "GIT";

/// Reads one record.
///
/// A record that affects nothing (withdrawn, or without `affected`) is as good as any other. A
/// package whose ecosystem is not judged here, or that has only ranges over commits, is noted in
/// [`Advisory::unsupported`]; a part that cannot be read, in [`Advisory::unread`].
///
/// # Errors
/// What [`Document::check`] and [`Document::parse`] refuse; [`DocumentCode::AdvisoryIdMissing`].
/// Where no entry of `affected` can be read, the problem of the first: among others
/// [`DocumentCode::AdvisoryRangeMissing`], when it has neither ranges nor versions, and
/// [`DocumentCode::AdvisoryFieldInvalid`].
pub fn read(bytes: &[u8]) -> Result<Advisory, DocumentError> {
    read_record(&Document::check(bytes, ADVISORY_MAX_BYTES)?)
}

/// Reads a file of records: one, a JSON array of them, or JSON Lines. A record that is refused does
/// not take the others with it.
pub fn read_all(bytes: &[u8]) -> impl Iterator<Item = Result<Advisory, DocumentError>> {
    pieces(bytes).map(|record| record.advisory)
}

/// The same, with what else there is to say of each record.
pub fn pieces(bytes: &[u8]) -> impl Iterator<Item = ReadRecord<'_>> {
    let pieces = document::pieces(bytes, ADVISORY_MAX_BYTES);
    pieces.into_iter().map(|Piece { bytes, document }| {
        let advisory = document.as_ref().map_err(Clone::clone);
        let advisory = advisory.and_then(read_record);
        ReadRecord {
            bytes,
            advisory,
            document: document.ok(),
        }
    })
}

/// A record of a file.
#[derive(Debug)]
pub struct ReadRecord<'a> {
    /// The record as it came.
    pub bytes: &'a [u8],
    /// What it says, or why it is refused.
    pub advisory: Result<Advisory, DocumentError>,
    document: Option<Document<'a>>,
}

impl ReadRecord<'_> {
    /// The record's id, where it can be read, also of a refused one.
    pub fn id(&self) -> Option<String> {
        if let Ok(advisory) = &self.advisory {
            return Some(advisory.id.clone());
        }
        let named: Result<Named, _> = self
            .document
            .as_ref()?
            .parse(DocumentCode::AdvisoryFieldInvalid);
        named.ok()?.id.filter(|id| !id.trim().is_empty())
    }

    /// What could not be read of a record that counts, with the place in the file; the first ones.
    pub fn warnings(&self) -> Vec<DocumentError> {
        let (Ok(advisory), Some(document)) = (&self.advisory, &self.document) else {
            return Vec::new();
        };
        let unread = advisory.unread.iter();
        unread
            .map(|part| document.refuse(part.code, &part.place, &part.detail))
            .collect()
    }
}

fn read_record(document: &Document<'_>) -> Result<Advisory, DocumentError> {
    let record: Record = document.parse(DocumentCode::AdvisoryFieldInvalid)?;
    let id = id(document, record.id)?;
    let withdrawn = record.withdrawn.is_some();
    let mut notes = Notes::default();
    let modified = notes.value("modified", record.modified);
    let aliases = notes.texts("aliases", record.aliases);
    let upstream = notes.texts("upstream", record.upstream);
    let severity = notes.vectors("severity", record.severity);
    let word = notes.value("database_specific", record.database_specific);
    let mut advisory = Advisory {
        aliases: aliases.into_iter().filter(|it| *it != id).collect(),
        id,
        upstream,
        withdrawn,
        modified: modified.unwrap_or_default(),
        severity,
        database_severity: word.and_then(record::DatabaseSpecific::word),
        affected: Vec::new(),
        unsupported: Texts::new(),
        unread: Vec::new(),
        unread_more: 0,
    };
    let mut of_entries = Notes::default();
    let mut says_something = false;
    for (index, entry) in of_entries.list("affected", record.affected) {
        match of_entries.entry(&advisory.id, index, withdrawn, entry) {
            Entry::Affected(affected) => {
                says_something |= !affected.versions.is_empty() || !affected.ranges.is_empty();
                advisory.affected.push(affected);
            }
            Entry::Unsupported(ecosystem) => {
                advisory.unsupported.insert(ecosystem);
            }
            Entry::Nothing => {}
        }
    }
    // A withdrawn record affects nothing, whatever it says.
    if !withdrawn {
        if !says_something && let Some(first) = of_entries.list.first() {
            return Err(document.refuse(first.code, &first.place, &first.detail));
        }
        notes.append(of_entries);
    }
    advisory.unread = notes.list;
    advisory.unread_more = notes.more;
    Ok(advisory)
}

fn id(document: &Document<'_>, id: Option<Lenient<String>>) -> Result<String, DocumentError> {
    match id {
        Some(Lenient(Ok(id))) if !id.trim().is_empty() => Ok(id),
        Some(Lenient(Err(odd))) => {
            Err(document.refuse(DocumentCode::AdvisoryFieldInvalid, "id", odd.why))
        }
        Some(Lenient(Ok(_))) | None => Err(document.refuse(
            DocumentCode::AdvisoryIdMissing,
            "id",
            "the record has no id",
        )),
    }
}

/// What could not be read, in the record's order.
#[derive(Default)]
struct Notes {
    list: Vec<Unread>,
    more: u32,
}

impl Notes {
    fn note(&mut self, code: DocumentCode, place: &str, detail: &str) {
        let DocumentError {
            code,
            place,
            detail,
        } = DocumentError::new(code, place, detail);
        self.add(Unread {
            code,
            place,
            detail,
        });
    }

    fn add(&mut self, part: Unread) {
        if self.list.len() < UNREAD_MAX {
            self.list.push(part);
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    fn append(&mut self, other: Self) {
        for part in other.list {
            self.add(part);
        }
        self.more = self.more.saturating_add(other.more);
    }

    fn odd(&mut self, path: &str, odd: &Odd) {
        let place = format!("{path}{}", odd.path);
        self.note(DocumentCode::AdvisoryFieldInvalid, &place, &odd.why);
    }

    /// The value, if it is one.
    fn value<T>(&mut self, path: &str, value: Option<Lenient<T>>) -> Option<T> {
        match value?.0 {
            Ok(value) => Some(value),
            Err(odd) => {
                self.odd(path, &odd);
                None
            }
        }
    }

    /// The elements that are what they should be, each with its place in the list.
    fn list<T>(&mut self, path: &str, list: List<T>) -> Vec<(usize, T)> {
        let elements = self.value(path, list).unwrap_or_default();
        let mut read = Vec::with_capacity(elements.len());
        for (at, Lenient(element)) in elements.into_iter().enumerate() {
            match element {
                Ok(element) => read.push((at, element)),
                Err(odd) => self.odd(&format!("{path}[{at}]"), &odd),
            }
        }
        read
    }

    fn texts(&mut self, path: &str, list: List<String>) -> Texts {
        let texts = self.list(path, list).into_iter();
        texts.map(|(_, text)| text).collect()
    }

    fn vectors(&mut self, path: &str, list: List<Vector>) -> Vec<SeverityVector> {
        let vectors = self.list(path, list).into_iter();
        vectors
            .filter_map(|(_, vector)| {
                Some(SeverityVector {
                    kind: vector.kind?,
                    score: vector.score?,
                })
            })
            .collect()
    }

    /// How many notes there are.
    fn count(&self) -> usize {
        self.list.len() + self.more as usize
    }
}

#[cfg(test)]
mod tests;
