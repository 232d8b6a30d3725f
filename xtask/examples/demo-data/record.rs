//! The fields of an OSV record that are facts; nothing else of a record is ever read.

use serde::{Deserialize, Deserializer, Serialize};

use super::package::PackageName;

/// One OSV record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawn: Option<String>,
    #[serde(
        default,
        deserialize_with = "or_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    aliases: Vec<String>,
    #[serde(
        default,
        deserialize_with = "or_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    upstream: Vec<String>,
    #[serde(
        default,
        deserialize_with = "or_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub(super) severity: Vec<Score>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) affected: Vec<Affected>,
    #[serde(skip_serializing_if = "Option::is_none")]
    database_specific: Option<DatabaseSpecific>,
}

/// A CVSS vector.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Score {
    /// `CVSS_V3`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// The vector.
    pub(super) score: String,
}

/// What a record affects of one package.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Affected {
    package: Package,
    #[serde(
        default,
        deserialize_with = "or_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub(super) ranges: Vec<Range>,
    #[serde(
        default,
        deserialize_with = "or_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub(super) versions: Vec<String>,
    #[serde(
        default,
        deserialize_with = "or_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    severity: Vec<Score>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Package {
    ecosystem: String,
    name: String,
}

/// One range of versions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Range {
    #[serde(rename = "type")]
    pub(super) kind: String,
    events: Vec<Event>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Event {
    #[serde(skip_serializing_if = "Option::is_none")]
    introduced: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_affected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<String>,
}

/// The database's own word for how bad it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct DatabaseSpecific {
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cvss_score: Option<serde_json::Number>,
}

impl Record {
    /// The packages the record speaks of.
    pub(super) fn packages(&self) -> impl Iterator<Item = PackageName> {
        self.affected.iter().map(|affected| {
            PackageName::of_advisory(&affected.package.ecosystem, &affected.package.name)
        })
    }

    /// The record's CVE ids: its own id, its aliases, the flaws it answers.
    pub(super) fn cves(&self) -> impl Iterator<Item = &str> {
        let names = std::iter::once(&self.id)
            .chain(&self.aliases)
            .chain(&self.upstream);
        names
            .map(String::as_str)
            .filter(|name| name.starts_with("CVE-"))
    }

    /// Whether the record says in any way how bad it is.
    pub(super) fn has_severity(&self) -> bool {
        !self.severity.is_empty()
            || self
                .affected
                .iter()
                .any(|affected| !affected.severity.is_empty())
            || self.database_specific.is_some()
    }

    /// Leaves out what carries no fact about released versions: ranges over commits, packages
    /// without a range or version, an empty `database_specific`.
    pub(super) fn trimmed(mut self) -> Self {
        for affected in &mut self.affected {
            affected.ranges.retain(|range| range.kind != "GIT");
        }
        self.affected
            .retain(|one| !one.ranges.is_empty() || !one.versions.is_empty());
        self.database_specific = self
            .database_specific
            .filter(|own| own.severity.is_some() || own.cvss_score.is_some());
        self
    }
}

/// Some sources write `null` for an empty list.
fn or_empty<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(document: &str, expected: &str) {
        let record: Record = serde_json::from_str(document).expect("a record");
        let facts = serde_json::to_string(&record.trimmed()).expect("JSON");
        assert_eq!(facts, expected);
    }

    #[test]
    fn only_facts_about_released_versions_are_kept() {
        check(
            r#"{"id":"X-1","summary":"prose","details":"prose","modified":null,"aliases":null,
                "credits":[{"name":"someone"}],"references":[{"url":"https://x.example"}],
                "affected":[
                  {"package":{"ecosystem":"PyPI","name":"a","purl":"pkg:pypi/a"},"versions":["1"],
                   "ranges":[{"type":"GIT","repo":"https://x.example","events":[{"introduced":"0"}]},
                             {"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2"}]}],
                   "ecosystem_specific":{"imports":[]}},
                  {"package":{"ecosystem":"PyPI","name":"b"},
                   "ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]}],
                "database_specific":{"source":"prose"}}"#,
            concat!(
                r#"{"id":"X-1","affected":[{"package":{"ecosystem":"PyPI","name":"a"},"#,
                r#""ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2"}]}],"#,
                r#""versions":["1"]}]}"#
            ),
        );
    }
}
