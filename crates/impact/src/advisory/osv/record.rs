//! A record as it stands in a document: every value may be of another type than the schema says.

use std::collections::BTreeSet;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::document::complaint;

/// A value, or why it is not one. An odd value does not take its neighbours with it.
pub(super) struct Lenient<T>(pub(super) Result<T, Odd>);

/// Why a value cannot be read.
pub(super) struct Odd {
    /// Where in the value: `.events[0]`, `[3]`; empty when the value itself is meant.
    pub(super) path: String,
    /// What the reader says.
    pub(super) why: String,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        Ok(Self(serde_json::from_str(raw).map_err(|_| odd::<T>(raw))))
    }
}

/// Reads again with a note of the path: odd values are rare.
fn odd<'de, T: Deserialize<'de>>(raw: &'de str) -> Odd {
    let mut reader = serde_json::Deserializer::from_str(raw);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut reader) else {
        let why = "cannot be read".to_owned();
        return Odd {
            path: String::new(),
            why,
        };
    };
    let path = error.path().to_string();
    Odd {
        path: match path.as_str() {
            "." => String::new(),
            inside if inside.starts_with('[') => inside.to_owned(),
            field => format!(".{field}"),
        },
        why: complaint(error.inner()),
    }
}

/// A list whose elements may be odd one by one.
pub(super) type List<T> = Option<Lenient<Vec<Lenient<T>>>>;

#[derive(Deserialize)]
pub(super) struct Record {
    pub(super) id: Option<Lenient<String>>,
    pub(super) modified: Option<Lenient<String>>,
    pub(super) withdrawn: Option<IgnoredAny>,
    pub(super) aliases: List<String>,
    pub(super) upstream: List<String>,
    pub(super) severity: List<Vector>,
    pub(super) database_specific: Option<Lenient<DatabaseSpecific>>,
    pub(super) affected: List<AffectedEntry>,
}

/// The one field of a record that names it.
#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) id: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Vector {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) score: Option<String>,
}

/// Databases put what they like here; only what is a word or a number is of use.
#[derive(Deserialize)]
pub(super) struct DatabaseSpecific {
    severity: Option<Value>,
    cvss_score: Option<Value>,
}

impl DatabaseSpecific {
    /// The word before the number, as the more deliberate of the two.
    pub(super) fn word(self) -> Option<String> {
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

#[derive(Deserialize)]
pub(super) struct AffectedEntry {
    pub(super) package: Option<Lenient<PackageEntry>>,
    pub(super) ranges: List<RangeEntry>,
    pub(super) versions: List<String>,
    pub(super) severity: List<Vector>,
}

#[derive(Deserialize)]
pub(super) struct PackageEntry {
    pub(super) ecosystem: Option<String>,
    pub(super) name: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct RangeEntry {
    #[serde(rename = "type")]
    pub(super) kind: Option<Lenient<String>>,
    pub(super) events: List<EventEntry>,
}

/// One event; records of before 2022 put several into one object.
#[derive(Deserialize)]
pub(super) struct EventEntry {
    pub(super) introduced: Option<String>,
    pub(super) fixed: Option<String>,
    pub(super) last_affected: Option<String>,
    pub(super) limit: Option<String>,
}

/// What could be read of a list of texts.
pub(super) type Texts = BTreeSet<String>;
