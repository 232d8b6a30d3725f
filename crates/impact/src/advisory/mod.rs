//! Advisories: the facts that decide which versions of which packages are hit.

pub mod osv;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::document::DocumentCode;
use crate::package::PackageKey;
use crate::severity::SeverityVector;

/// One advisory, reduced to facts. Free text is left in the stored document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Advisory {
    /// The record's own id (`GHSA-…`, `GO-…`, `DSA-…`).
    pub id: String,
    /// Other names of the same flaw.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub aliases: BTreeSet<String>,
    /// Flaws this record answers (a DSA answers several CVEs).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub upstream: BTreeSet<String>,
    /// A withdrawn advisory affects nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
    /// RFC 3339, as the record has it; empty when it has none. Never part of a decision.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub modified: String,
    /// CVSS vectors for the record as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub severity: Vec<SeverityVector>,
    /// The database's own word (`CRITICAL`, `moderate`, `7.5`) where no vector is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database_severity: Option<String>,
    /// What is affected, in the record's order.
    pub affected: Vec<Affected>,
    /// Ecosystems named by the record whose version order is not known here (`Packagist`,
    /// `Alpine:v3.16`), and `GIT` for packages with nothing but ranges over commits.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unsupported: BTreeSet<String>,
    /// Parts of the record that could not be read and do not count; the first [`UNREAD_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Unread>,
    /// How many further parts could not be read.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unread_more: u32,
}

/// Parts that are named when a record cannot be read in full.
pub const UNREAD_MAX: usize = 20;

/// A part of a record that could not be read, though the rest could.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unread {
    /// What is wrong with it.
    pub code: DocumentCode,
    /// Its path within the record: `affected[0].ranges[1].type`.
    pub place: String,
    /// One sentence for a person.
    pub detail: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Versions of one package that an advisory hits: listed ones or those in a range.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Affected {
    /// Which package.
    pub package: PackageKey,
    /// Versions listed one by one.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub versions: BTreeSet<String>,
    /// Ranges in the ecosystem's order; ranges over commits are not kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<Range>,
    /// CVSS vectors for this package alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub severity: Vec<SeverityVector>,
    /// Whether a range or a listed version could not be read: of versions that nothing else calls
    /// affected, nobody can say that they are not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unread: bool,
}

/// One range of an advisory (OSV schema, `affected[].ranges[]`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Range {
    /// Which order the events stand in.
    pub scheme: RangeScheme,
    /// What happens at which version, in the record's order.
    pub events: Vec<RangeEvent>,
}

/// The order a range is meant in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RangeScheme {
    /// `SemVer` 2.0, whatever the ecosystem.
    Semver,
    /// The ecosystem's own order.
    Ecosystem,
}

/// One event of a range.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RangeEvent {
    /// The flaw appears at this version; `0` is below every version.
    Introduced(String),
    /// This version no longer has the flaw.
    Fixed(String),
    /// This version is the last one with the flaw.
    LastAffected(String),
    /// The range says nothing at and above this version.
    Limit(String),
}
