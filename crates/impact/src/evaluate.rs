//! Which flaws which images have.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::group::is_cve;
use crate::kev::KevCatalogue;
use crate::matcher::{Flaw, Hit, Matcher, higher_fix};
use crate::package::{Package, PackageKey};
use crate::sbom::{Component, Unmatched};
use crate::severity::Severity;
use crate::vex::product::Subject;
use crate::vex::verdict::Verdicts;
use crate::vex::{Statement, Status};

/// One image to evaluate.
#[derive(Debug, Clone, Copy)]
pub struct ImageInput<'a> {
    /// What the image is called in the findings; no two images of an evaluation share it. The
    /// digest for stored images, a file name for an SBOM on its own.
    pub image: &'a str,
    /// `sha256:…`, where known; only VEX statements ask for it.
    pub digest: Option<&'a str>,
    /// Image references, with or without a tag; only VEX statements ask for them.
    pub names: &'a [String],
    /// *All* components, whatever the scope: a VEX statement may speak of a component by the
    /// program that carries it.
    pub components: &'a [Component],
}

/// What of the images is evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Scope {
    /// Every component.
    All,
    /// Components of these packages; all else stays as it was.
    Packages(BTreeSet<PackageKey>),
}

impl Scope {
    /// Whether components of this package are evaluated.
    pub fn contains(&self, package: &PackageKey) -> bool {
        match self {
            Self::All => true,
            Self::Packages(packages) => packages.contains(package),
        }
    }
}

/// One flaw of one component of one image. Identity is (image, purl, group); the rest describes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// [`ImageInput::image`].
    pub image: String,
    /// The component, as its SBOM spells it.
    pub purl: String,
    /// The flaw ([`crate::group::group_of`]).
    pub group: String,
    /// The component's package, as it was judged.
    pub package: Package,
    /// Whether its source package is assumed ([`Component::source_assumed`]).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub source_assumed: bool,
    /// Ids of all advisories that say so.
    pub advisories: BTreeSet<String>,
    /// The worst that any of them says.
    pub severity: Severity,
    /// Whether one of the flaws is known to be exploited.
    pub kev: bool,
    /// The version that is free of the flaw by every advisory that names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<String>,
    /// What VEX says; [`Status::Affected`] where it says nothing.
    pub status: Status,
    /// Why VEX takes the finding away, where a statement says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justification: Option<String>,
}

/// What could not be judged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unjudged {
    /// The component, as its SBOM spells it.
    pub purl: String,
    /// The advisory, unless the component as such cannot be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advisory: Option<String>,
    /// Why.
    pub reason: Unmatched,
}

/// The findings of some images.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evaluation {
    /// Sorted, those taken away by VEX included.
    pub findings: Vec<Finding>,
    /// Each component (and advisory) once, however many images carry it. Components without an
    /// identity belong to no package and are listed only when all is evaluated.
    pub unmatched: BTreeSet<Unjudged>,
}

/// Judges the components of the images. Each distinct package is judged once.
///
/// The order of images, components, advisories and statements has no meaning.
pub fn evaluate<'a>(
    images: impl IntoIterator<Item = ImageInput<'a>>,
    scope: &Scope,
    matcher: &Matcher,
    kev: &KevCatalogue,
    vex: &[Statement],
) -> Evaluation {
    let verdicts = Verdicts::new(vex);
    let mut judged: BTreeMap<&Package, JudgedPackage<'_>> = BTreeMap::new();
    let mut findings = BTreeSet::new();
    let mut unmatched = BTreeSet::new();
    for image in images {
        let subject = Subject::new(image.digest, image.names, image.components);
        for component in image.components {
            let purl = &component.purl;
            let package = match &component.identity {
                Ok(package) if scope.contains(&package.key) => package,
                Ok(_) => continue,
                Err(reason) => {
                    if *scope == Scope::All {
                        unmatched.insert(unjudged(purl, None, reason));
                    }
                    continue;
                }
            };
            let known = judged
                .entry(package)
                .or_insert_with(|| JudgedPackage::of(package, matcher, kev));
            for (advisory, reason) in &known.unmatched {
                unmatched.insert(unjudged(purl, Some(advisory), reason));
            }
            for flaw in &known.groups {
                let verdict = verdicts.on(&subject, purl, &flaw.flaws);
                findings.insert(Finding {
                    image: image.image.to_owned(),
                    purl: purl.clone(),
                    group: flaw.group.to_owned(),
                    package: package.clone(),
                    source_assumed: component.source_assumed,
                    advisories: flaw.advisories.clone(),
                    severity: flaw.severity,
                    kev: flaw.kev,
                    fixed: flaw.fixed.clone(),
                    status: verdict.status,
                    justification: verdict.justification.map(str::to_owned),
                });
            }
        }
    }
    Evaluation {
        findings: findings.into_iter().collect(),
        unmatched,
    }
}

fn unjudged(purl: &str, advisory: Option<&str>, reason: &Unmatched) -> Unjudged {
    Unjudged {
        purl: purl.to_owned(),
        advisory: advisory.map(str::to_owned),
        reason: reason.clone(),
    }
}

/// What is known of a package whatever image it is in.
struct JudgedPackage<'m> {
    groups: Vec<FlawGroup<'m>>,
    unmatched: Vec<(&'m str, Unmatched)>,
}

/// The advisories that speak of one flaw, taken together.
struct FlawGroup<'m> {
    group: &'m str,
    advisories: BTreeSet<String>,
    severity: Severity,
    kev: bool,
    fixed: Option<String>,
    flaws: Vec<BTreeSet<&'m str>>,
}

impl<'m> JudgedPackage<'m> {
    fn of(package: &Package, matcher: &'m Matcher, kev: &KevCatalogue) -> Self {
        let judged = matcher.judge(package);
        let mut by_group: BTreeMap<&str, Vec<Hit<'m>>> = BTreeMap::new();
        for hit in judged.hits {
            by_group.entry(&hit.flaw.group).or_default().push(hit);
        }
        let groups = by_group.into_iter().map(|(group, hits)| FlawGroup {
            group,
            advisories: hits.iter().map(|hit| hit.flaw.advisory.clone()).collect(),
            severity: hits
                .iter()
                .map(|hit| hit.severity)
                .max()
                .unwrap_or_default(),
            kev: hits.iter().any(|hit| is_exploited(hit.flaw, kev)),
            flaws: flaws_of(&hits),
            fixed: hits
                .into_iter()
                .fold(None, |fixed, hit| higher_fix(package, fixed, hit.fixed)),
        });
        Self {
            groups: groups.collect(),
            unmatched: judged.unmatched,
        }
    }
}

/// Whether one of the CVE ids a record speaks of is in the catalogue.
pub(crate) fn is_exploited(flaw: &Flaw, kev: &KevCatalogue) -> bool {
    flaw.cves().any(|cve| kev.entries.contains_key(cve))
}

/// The flaws a group stands for, each by all its names: one, called by the ids and aliases of the
/// records; or, where a record answers several CVEs without being an alias of them, each of these.
fn flaws_of<'m>(hits: &[Hit<'m>]) -> Vec<BTreeSet<&'m str>> {
    let flaws = hits.iter().map(|hit| hit.flaw);
    let own: BTreeSet<&str> = flaws.clone().flat_map(Flaw::names).collect();
    let answered: BTreeSet<&str> = flaws
        .filter(|flaw| !flaw.names().any(is_cve))
        .flat_map(|flaw| flaw.upstream.iter().map(String::as_str))
        .collect();
    if answered.is_empty() {
        return vec![own];
    }
    let shared = || own.iter().copied().filter(|name| !is_cve(name));
    answered
        .into_iter()
        .map(|cve| shared().chain([cve]).collect())
        .collect()
}
