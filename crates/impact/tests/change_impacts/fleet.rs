//! The fleet of real images, indexed, and what is found in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use jobengine_impact::advisory::Advisory;
use jobengine_impact::index::ImpactIndex;
use jobengine_impact::matcher::{Hit, Matcher};
use jobengine_impact::package::Package;
use jobengine_impact::purl::identify;
use jobengine_impact::sbom::{Component, Unmatched};
use jobengine_impact::severity::Severity;
use serde_json::Value;

use crate::data;

/// (line of the fleet, place of the component in that line's purls).
pub(crate) type Place = (u32, usize);

/// An image is its line in the fleet's file.
pub(crate) struct Fleet {
    pub(crate) lines: Vec<Value>,
    pub(crate) components: Vec<Vec<Component>>,
    pub(crate) index: ImpactIndex,
    /// Where each distinct package sits.
    pub(crate) places: BTreeMap<Package, Vec<Place>>,
}

pub(crate) fn fleet() -> Option<&'static Fleet> {
    static FLEET: OnceLock<Option<Fleet>> = OnceLock::new();
    FLEET
        .get_or_init(|| data::json_lines("sboms/fleet.jsonl.zst").map(Fleet::read))
        .as_ref()
}

impl Fleet {
    pub(crate) fn read(lines: Vec<Value>) -> Self {
        let mut fleet = Self {
            components: lines.iter().map(components).collect(),
            lines,
            index: ImpactIndex::default(),
            places: BTreeMap::new(),
        };
        for (line, components) in (0..).zip(&fleet.components) {
            let packages = || {
                components
                    .iter()
                    .filter_map(|part| part.identity.as_ref().ok())
            };
            fleet.index.image_set(line, packages());
            let purls = fleet.lines[line as usize]["purls"].as_array().unwrap();
            let mut first = BTreeMap::new();
            for (place, purl) in purls.iter().enumerate() {
                first.entry(purl.as_str().unwrap()).or_insert(place);
            }
            for component in components {
                if let Ok(package) = &component.identity {
                    let place = (line, first[component.purl.as_str()]);
                    fleet.places.entry(package.clone()).or_default().push(place);
                }
            }
        }
        fleet
    }

    pub(crate) fn purl(&self, (line, place): Place) -> &str {
        self.lines[line as usize]["purls"][place].as_str().unwrap()
    }

    pub(crate) fn component(&self, place: Place) -> &Component {
        let purl = self.purl(place);
        let mut components = self.components[place.0 as usize].iter();
        components.find(|part| part.purl == purl).unwrap()
    }

    pub(crate) fn version(&self, place: Place) -> String {
        identify(self.purl(place), None)
            .map(|found| found.package.version)
            .unwrap_or_default()
    }

    /// Whether the answers cover this component. They leave out the Debian components of documents that
    /// Syft did not write, because of those only Syft's purls name source packages; here they are judged
    /// by their own name, which is marked as assumed.
    pub(crate) fn is_answered(&self, place: Place) -> bool {
        let by_syft = text(&self.lines[place.0 as usize], "tool") == "syft";
        by_syft || !self.purl(place).starts_with("pkg:deb/debian/")
    }

    /// Tells `found` of every hit of these advisories, and where.
    pub(crate) fn each_hit(
        &self,
        advisories: &[Advisory],
        mut found: impl FnMut(&[Place], &Hit<'_>),
    ) {
        let matcher = Matcher::new(advisories);
        let keys: BTreeSet<_> = advisories
            .iter()
            .flat_map(|one| &one.affected)
            .map(|entry| &entry.package)
            .collect();
        for key in keys {
            for (version, _) in self.index.versions(key) {
                let package = Package {
                    key: key.clone(),
                    version: version.to_owned(),
                };
                for hit in matcher.judge(&package).hits {
                    found(&self.places[&package], &hit);
                }
            }
        }
    }

    /// Where the advisory cannot be judged, because a part of it could not be read.
    pub(crate) fn places_unsaid(&self, advisory: &Advisory) -> BTreeSet<Place> {
        let matcher = Matcher::new([advisory]);
        let mut unsaid = BTreeSet::new();
        for entry in &advisory.affected {
            for (version, _) in self.index.versions(&entry.package) {
                let package = Package {
                    key: entry.package.clone(),
                    version: version.to_owned(),
                };
                let unmatched = matcher.judge(&package).unmatched;
                if unmatched.contains(&(advisory.id.as_str(), Unmatched::RangesNotRead)) {
                    unsaid.extend(&self.places[&package]);
                }
            }
        }
        unsaid
    }

    pub(crate) fn places_hit(&self, advisories: &[Advisory]) -> BTreeSet<Place> {
        let mut all = BTreeSet::new();
        self.each_hit(advisories, |places, _| all.extend(places));
        all
    }

    /// (place, flaw group, worst severity).
    pub(crate) fn findings(&self, advisories: &[Advisory]) -> BTreeSet<(Place, String, Severity)> {
        let mut worst: BTreeMap<(Place, String), Severity> = BTreeMap::new();
        self.each_hit(advisories, |places, hit| {
            for place in places {
                let severity = worst.entry((*place, hit.flaw.group.clone())).or_default();
                *severity = hit.severity.max(*severity);
            }
        });
        worst
            .into_iter()
            .map(|((place, group), severity)| (place, group, severity))
            .collect()
    }
}

fn components(line: &Value) -> Vec<Component> {
    let mut seen = BTreeSet::new();
    let purls = line["purls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|purl| purl.as_str().unwrap());
    purls
        .filter(|purl| seen.insert(*purl))
        .map(|purl| Component::new(purl, None))
        .collect()
}

pub(crate) fn text<'v>(line: &'v Value, name: &str) -> &'v str {
    line[name].as_str().unwrap()
}
