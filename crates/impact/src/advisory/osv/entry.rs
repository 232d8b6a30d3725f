//! What one entry of `affected` comes to.

use super::record::{AffectedEntry, EventEntry, List, RangeEntry};
use super::{GIT, Notes};
use crate::advisory::{Affected, Range, RangeEvent, RangeScheme};
use crate::document::DocumentCode;
use crate::package::{Ecosystem, PackageKey};
use crate::purl::pep_503;

/// What one entry of `affected` comes to.
pub(super) enum Entry {
    /// Versions of a package, or at least the package whose versions cannot be read.
    Affected(Affected),
    /// An ecosystem whose version order is not known, or only ranges over commits.
    Unsupported(String),
    /// Nothing that could be read; or a withdrawn record that need not say which versions it once meant.
    Nothing,
}

/// The ranges of an entry, as far as they can be read.
struct Ranges {
    ranges: Vec<Range>,
    over_commits: bool,
}

impl Notes {
    /// Reads `affected[index]` of the record `id`.
    pub(super) fn entry(
        &mut self,
        id: &str,
        index: usize,
        withdrawn: bool,
        entry: AffectedEntry,
    ) -> Entry {
        let path = format!("affected[{index}]");
        let Some(package) = entry.package else {
            return Entry::Unsupported(GIT.to_owned());
        };
        let Some(package) = self.value(&format!("{path}.package"), Some(package)) else {
            return Entry::Nothing;
        };
        let ecosystem = package.ecosystem.filter(|it| !it.is_empty());
        let name = package.name.filter(|it| !it.is_empty());
        let (Some(ecosystem), Some(name)) = (&ecosystem, name) else {
            let field = if ecosystem.is_none() {
                "ecosystem"
            } else {
                "name"
            };
            self.invalid(id, &path, &format!("package.{field}"), "is missing");
            return Entry::Nothing;
        };
        let Some(package) = package_key(ecosystem, &name) else {
            return Entry::Unsupported(ecosystem.clone());
        };

        let before = self.count();
        let versions = self.texts(&format!("{path}.versions"), entry.versions);
        let read = self.ranges(id, &path, entry.ranges);
        let unread = self.count() > before;
        let says_nothing = read.ranges.is_empty() && versions.is_empty();
        if says_nothing && !unread {
            if read.over_commits {
                return Entry::Unsupported(GIT.to_owned());
            }
            if withdrawn {
                return Entry::Nothing;
            }
            let detail = format!("{id} names {package}, but no range and no version of it");
            let place = format!("{path}.ranges");
            self.note(DocumentCode::AdvisoryRangeMissing, &place, &detail);
        }
        Entry::Affected(Affected {
            severity: self.vectors(&format!("{path}.severity"), entry.severity),
            package,
            versions,
            ranges: read.ranges,
            unread,
        })
    }

    fn ranges(&mut self, id: &str, path: &str, ranges: List<RangeEntry>) -> Ranges {
        let mut read = Ranges {
            ranges: Vec::new(),
            over_commits: false,
        };
        for (index, range) in self.list(&format!("{path}.ranges"), ranges) {
            let field = format!("ranges[{index}]");
            let kind = match range.kind {
                None => None,
                Some(kind) => match self.value(&format!("{path}.{field}.type"), Some(kind)) {
                    Some(kind) => Some(kind),
                    None => continue,
                },
            };
            let scheme = match kind.as_deref() {
                Some("SEMVER") => RangeScheme::Semver,
                Some("ECOSYSTEM") => RangeScheme::Ecosystem,
                Some(GIT) => {
                    read.over_commits = true;
                    continue;
                }
                _ => {
                    let detail = "is not SEMVER, ECOSYSTEM or GIT";
                    self.invalid(id, path, &format!("{field}.type"), detail);
                    continue;
                }
            };
            let events = self.events(id, path, &field, range.events);
            if let Some(events) = events.filter(|events| !events.is_empty()) {
                read.ranges.push(Range { scheme, events });
            }
        }
        read
    }

    /// The events of a range; `None` when one of them cannot be read, because the others mean nothing
    /// without it: of `introduced` and an odd `fixed` only half would be left.
    fn events(
        &mut self,
        id: &str,
        path: &str,
        range: &str,
        entries: List<EventEntry>,
    ) -> Option<Vec<RangeEvent>> {
        let before = self.count();
        let mut events = Vec::new();
        for (index, entry) in self.list(&format!("{path}.{range}.events"), entries) {
            let known = events.len();
            events.extend(entry.introduced.map(RangeEvent::Introduced));
            events.extend(entry.fixed.map(RangeEvent::Fixed));
            events.extend(entry.last_affected.map(RangeEvent::LastAffected));
            events.extend(entry.limit.map(RangeEvent::Limit));
            if events.len() == known {
                let field = format!("{range}.events[{index}]");
                let detail = "has none of introduced, fixed, last_affected and limit";
                self.invalid(id, path, &field, detail);
            }
        }
        (self.count() == before).then_some(events)
    }

    fn invalid(&mut self, id: &str, path: &str, field: &str, detail: &str) {
        let place = format!("{path}.{field}");
        let detail = format!("{id}: {field} {detail}");
        self.note(DocumentCode::AdvisoryFieldInvalid, &place, &detail);
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
