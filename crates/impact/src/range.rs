//! Whether a version lies in what an advisory affects.
//!
//! Source of the rules: the evaluation algorithm of the OSV schema. A version is affected when it
//! is listed, or lies in a range; walking a range's events in version order, `introduced` switches
//! on, `fixed` and `last_affected` switch off.

use std::cmp::Ordering;

use crate::advisory::{Affected, Range, RangeEvent, RangeScheme};
use crate::package::Ecosystem;
use crate::sbom::Unmatched;
use crate::version::{Scheme, Version};

/// A component's version, parsed once and tested against many advisories.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    text: String,
    /// `None` when the version has no place in its ecosystem's order; it may still be listed.
    version: Option<Version>,
    /// The version as `SemVer`, where the ecosystem's own order is another one.
    semver: Option<Version>,
}

impl Candidate {
    /// Parses a version of a package of this ecosystem. Never fails: a version without a place in
    /// the order can still be listed by name.
    pub fn new(ecosystem: Ecosystem, text: &str) -> Self {
        let semver = match Scheme::of(ecosystem) {
            Scheme::Semver => None,
            Scheme::Pep440 | Scheme::Debian | Scheme::Maven => Version::parse_semver(text).ok(),
        };
        let version = Version::parse(ecosystem, text).ok();
        Self {
            text: text.to_owned(),
            version,
            semver,
        }
    }

    /// The version as its document spells it.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn in_scheme(&self, scheme: Scheme) -> Option<&Version> {
        [&self.version, &self.semver]
            .into_iter()
            .flatten()
            .find(|v| v.scheme() == scheme)
    }
}

/// The answer for one version of the package an advisory speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Listed, or inside a range.
    Affected,
    /// Outside everything the advisory says.
    NotAffected,
    /// The advisory cannot be judged for this version, and why.
    Unknown(Unmatched),
}

/// [`Affected`] with its versions parsed and its events in order: the form of the hot loop.
#[derive(Debug, Clone, PartialEq)]
pub struct CompiledAffected {
    /// Sorted.
    versions: Vec<String>,
    ranges: Vec<CompiledRange>,
    /// Something that the advisory says of the package could not be read.
    unread: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum CompiledRange {
    Ordered(OrderedRange),
    /// Holds the version that has no place in the order: the range says nothing.
    Unorderable(String),
}

#[derive(Debug, Clone, PartialEq)]
struct OrderedRange {
    scheme: Scheme,
    /// In version order; events at one version stay in the record's order.
    steps: Vec<Step>,
    /// The range counts below any of these; empty: everywhere.
    limits: Vec<Version>,
}

#[derive(Debug, Clone, PartialEq)]
struct Step {
    /// `None` lies below every version: `introduced: "0"`.
    at: Option<Version>,
    turn: Turn,
}

#[derive(Debug, Clone, PartialEq)]
enum Turn {
    On,
    /// Off at this version, which a user can move to.
    Fixed(String),
    /// Off above this version.
    LastAffected,
}

impl CompiledAffected {
    /// Prepares an advisory's entry for judging many versions.
    pub fn compile(affected: &Affected) -> Self {
        let ecosystem = affected.package.ecosystem;
        Self {
            versions: affected.versions.iter().cloned().collect(),
            ranges: affected
                .ranges
                .iter()
                .map(|range| compile_range(ecosystem, range))
                .collect(),
            unread: affected.unread,
        }
    }

    /// Judges one version. What hits, hits: a range that cannot be read, or whose versions cannot be
    /// ordered, only counts when nothing else affects the version.
    pub fn judge(&self, candidate: &Candidate) -> Verdict {
        if self.is_listed(candidate) {
            return Verdict::Affected;
        }
        let mut unknown = None;
        for range in &self.ranges {
            match range.contains(candidate) {
                Ok(true) => return Verdict::Affected,
                Ok(false) => {}
                Err(text) => unknown = unknown.or(Some(text)),
            }
        }
        if let Some(text) = unknown {
            return Verdict::Unknown(Unmatched::VersionNotComparable(text.to_owned()));
        }
        if self.unread {
            return Verdict::Unknown(Unmatched::RangesNotRead);
        }
        if self.versions.is_empty() && self.ranges.is_empty() {
            return Verdict::Unknown(Unmatched::VersionsNotStated);
        }
        Verdict::NotAffected
    }

    /// The lowest version above the candidate that the advisory calls fixed, among the ranges that
    /// contain it: what a user moves to. `None` when no such version is named.
    pub fn fixed_for(&self, candidate: &Candidate) -> Option<String> {
        let mut lowest: Option<(&Version, &str)> = None;
        for range in &self.ranges {
            let Some((at, text)) = range.fixed_above(candidate) else {
                continue;
            };
            if lowest.is_none_or(|(known, _)| at.compare(known).is_some_and(Ordering::is_lt)) {
                lowest = Some((at, text));
            }
        }
        lowest.map(|(_, text)| text.to_owned())
    }

    fn is_listed(&self, candidate: &Candidate) -> bool {
        self.versions
            .binary_search_by(|listed| listed.as_str().cmp(&candidate.text))
            .is_ok()
    }
}

impl CompiledRange {
    /// Whether the version lies in the range, or the text that cannot be ordered.
    fn contains<'a>(&'a self, candidate: &'a Candidate) -> Result<bool, &'a str> {
        match self {
            Self::Unorderable(text) => Err(text),
            Self::Ordered(range) => match candidate.in_scheme(range.scheme) {
                None => Err(&candidate.text),
                Some(version) => Ok(range.contains(version)),
            },
        }
    }

    fn fixed_above(&self, candidate: &Candidate) -> Option<(&Version, &str)> {
        let Self::Ordered(range) = self else {
            return None;
        };
        let version = candidate
            .in_scheme(range.scheme)
            .filter(|v| range.contains(v))?;
        range
            .steps
            .iter()
            .find_map(|step| match (&step.at, &step.turn) {
                (Some(at), Turn::Fixed(text)) if at > version => Some((at, text.as_str())),
                _ => None,
            })
    }
}

impl OrderedRange {
    fn contains(&self, version: &Version) -> bool {
        if !self.limits.is_empty() && !self.limits.iter().any(|limit| version < limit) {
            return false;
        }
        let mut on = false;
        for step in &self.steps {
            let reached = step.at.as_ref().is_none_or(|at| match step.turn {
                Turn::On | Turn::Fixed(_) => version >= at,
                Turn::LastAffected => version > at,
            });
            if reached {
                on = matches!(step.turn, Turn::On);
            }
        }
        on
    }
}

fn compile_range(ecosystem: Ecosystem, range: &Range) -> CompiledRange {
    let scheme = match range.scheme {
        RangeScheme::Semver => Scheme::Semver,
        RangeScheme::Ecosystem => Scheme::of(ecosystem),
    };
    match order_events(scheme, &range.events) {
        Ok(range) => CompiledRange::Ordered(range),
        Err(text) => CompiledRange::Unorderable(text),
    }
}

fn order_events(scheme: Scheme, events: &[RangeEvent]) -> Result<OrderedRange, String> {
    let read = |text: &String| Version::parse_as(scheme, text).map_err(|_| text.clone());
    let mut range = OrderedRange {
        scheme,
        steps: Vec::new(),
        limits: Vec::new(),
    };
    let mut everywhere = false;
    for event in events {
        let (at, turn) = match event {
            RangeEvent::Introduced(text) if text == "0" => (None, Turn::On),
            RangeEvent::Introduced(text) => (Some(read(text)?), Turn::On),
            RangeEvent::Fixed(text) => (Some(read(text)?), Turn::Fixed(text.clone())),
            RangeEvent::LastAffected(text) => (Some(read(text)?), Turn::LastAffected),
            RangeEvent::Limit(text) if text == "*" => {
                everywhere = true;
                continue;
            }
            RangeEvent::Limit(text) => {
                range.limits.push(read(text)?);
                continue;
            }
        };
        range.steps.push(Step { at, turn });
    }
    if everywhere {
        range.limits.clear();
    }
    // All of one scheme, so the order is total; a stable sort keeps the record's order where two
    // events name one version, which is what tells `[1, 1)` from `[0, 1) and [1, 2)`.
    range
        .steps
        .sort_by(|a, b| a.at.partial_cmp(&b.at).unwrap_or(Ordering::Equal));
    Ok(range)
}

#[cfg(test)]
mod tests;
