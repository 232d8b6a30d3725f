//! STATED: which findings a component has follows from what its own entry states. The tool that wrote
//! the document, its format, the order of its components and properties, and properties of other kinds
//! have no meaning.

use std::collections::BTreeSet;

use jobengine_impact::advisory::{Advisory, osv};
use jobengine_impact::evaluate::{Finding, ImageInput, Scope, evaluate};
use jobengine_impact::kev::KevCatalogue;
use jobengine_impact::matcher::Matcher;
use jobengine_impact::sbom;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

const NAMES: [&str; 4] = ["expat", "zlib", "libexpat1", "zlib1g"];
const TOOLS: [&str; 7] = [
    "",
    "syft",
    "trivy",
    "cdxgen",
    "buildkit-v0.12",
    "syft-1.0",
    "nobody",
];

/// Epoch, version, release.
type Number = (u32, u32, u32);

/// A component as its document states it, in whatever format.
#[derive(Debug, Clone)]
struct Stated {
    purl: String,
    /// Its source package, with a version or without one.
    source: Option<(&'static str, Option<Number>)>,
}

/// How one document is written.
#[derive(Debug, Clone)]
struct Written {
    spdx: bool,
    tool: &'static str,
    /// Whether properties are Trivy's or Syft's.
    trivy: bool,
    /// Where the components begin, and whether they run backwards.
    order: (usize, bool),
    noise: bool,
}

fn version((epoch, version, release): Number) -> String {
    let epoch = if epoch == 0 {
        String::new()
    } else {
        format!("{epoch}:")
    };
    format!("{epoch}{version}.0-{release}")
}

fn component() -> impl Strategy<Value = Stated> {
    let numbers = || (0..2_u32, 1..4_u32, 1..3_u32);
    let source = (select(&NAMES[..2]), prop::option::of(numbers()));
    let upstream = prop::option::of(source.clone());
    let vendor = prop_oneof![4 => Just("debian"), 1 => Just("ubuntu")];
    let release = select(
        &[
            "debian-12",
            "debian-12.5",
            "bookworm",
            "debian-11",
            "debian",
        ][..],
    );
    let package = (select(&NAMES[..]), numbers(), vendor, release);
    (package, upstream, prop::option::of(source)).prop_map(|(package, upstream, source)| {
        let (name, number, vendor, release) = package;
        let upstream = upstream.map_or_else(String::new, |(name, number)| {
            let version = number.map_or_else(String::new, |it| format!("%40{}", version(it)));
            format!("&upstream={name}{version}")
        });
        let purl = format!(
            "pkg:deb/{vendor}/{name}@{}?distro={release}{upstream}",
            version(number)
        );
        Stated { purl, source }
    })
}

fn components() -> impl Strategy<Value = Vec<Stated>> {
    vec(component(), 0..8).prop_map(|mut components| {
        let mut seen = BTreeSet::new();
        components.retain(|it| seen.insert(it.purl.clone()));
        components.push(Stated {
            purl: "pkg:npm/expat@1.0.0".to_owned(),
            source: Some(("zlib", None)),
        });
        components
    })
}

fn written() -> impl Strategy<Value = Written> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (select(&TOOLS[..]), 0..8_usize, flags).prop_map(|(tool, start, flags)| {
        let (spdx, trivy, backwards, noise) = flags;
        Written {
            spdx,
            tool,
            trivy,
            order: (start, backwards),
            noise,
        }
    })
}

impl Written {
    fn document(&self, components: &[Stated]) -> Value {
        let (start, backwards) = self.order;
        let mut components: Vec<&Stated> = components.iter().collect();
        let turn = start % components.len();
        components.rotate_left(turn);
        if backwards {
            components.reverse();
        }
        if self.spdx {
            let packages: Vec<Value> = components.iter().map(|it| self.package(it)).collect();
            let creators = [format!("Tool: {}", self.tool)];
            return json!({"spdxVersion": "SPDX-2.3", "creationInfo": {"creators": creators}, "packages": packages});
        }
        let components: Vec<Value> = components.iter().map(|it| self.part(it)).collect();
        let tools = json!([{"name": self.tool}]);
        json!({"bomFormat": "CycloneDX", "specVersion": "1.5", "metadata": {"tools": tools}, "components": components})
    }

    fn package(&self, component: &Stated) -> Value {
        let info = component.source.map(|(name, number)| {
            let source = format!("{name} {}", number.map(version).unwrap_or_default());
            let before = if self.noise {
                "acquired from /var/lib/dpkg; "
            } else {
                ""
            };
            format!("{before}built package from: {source}")
        });
        json!({"name": "n", "sourceInfo": info, "externalRefs": [
            {"referenceType": "purl", "referenceLocator": component.purl}]})
    }

    fn part(&self, component: &Stated) -> Value {
        let mut properties = Vec::new();
        let mut add = |name: &str, value: String| {
            properties.push(json!({"name": name, "value": value}));
        };
        if let Some((name, number)) = component.source {
            if self.trivy {
                add("aquasecurity:trivy:SrcName", name.to_owned());
                if let Some((epoch, version, release)) = number {
                    add("aquasecurity:trivy:SrcVersion", format!("{version}.0"));
                    add("aquasecurity:trivy:SrcRelease", release.to_string());
                    add("aquasecurity:trivy:SrcEpoch", epoch.to_string());
                }
            } else {
                add("syft:metadata:source", name.to_owned());
                if let Some(number) = number {
                    add("syft:metadata:sourceVersion", version(number));
                }
            }
        }
        if self.noise {
            add("syft:package:foundBy", "zlib".to_owned());
            properties.push(json!({"name": 7}));
        }
        if self.order.1 {
            properties.reverse();
        }
        json!({"name": "n", "purl": component.purl, "properties": properties})
    }
}

fn advisories() -> Vec<Advisory> {
    let mut advisories = Vec::new();
    for (number, name) in NAMES.iter().enumerate() {
        for release in ["11", "12"] {
            let record = json!({"id": format!("DSA-{number}-{release}"), "affected": [{
                "package": {"ecosystem": format!("Debian:{release}"), "name": name},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1:2.0-1"}]}]}]});
            advisories.push(osv::read(record.to_string().as_bytes()).expect("a good record"));
        }
    }
    advisories
}

fn findings(document: &Value) -> BTreeSet<Finding> {
    let read = sbom::read(document.to_string().as_bytes()).expect("a good document");
    let image = ImageInput {
        image: "image",
        digest: None,
        names: &[],
        components: &read.components,
    };
    let matcher = Matcher::new(&advisories());
    let kev = KevCatalogue::default();
    let evaluation = evaluate([image], &Scope::All, &matcher, &kev, &[]);
    evaluation.findings.into_iter().collect()
}

/// What a component must be taken for, by the rule alone.
fn expected(component: &Stated) -> Option<(String, bool)> {
    let (path, qualifiers) = component
        .purl
        .strip_prefix("pkg:deb/debian/")?
        .split_once('?')?;
    let (own, _) = path.split_once('@')?;
    let upstream = qualifiers.split_once("&upstream=").map(|(_, it)| it);
    let upstream = upstream.map(|it| it.split('%').next().unwrap_or(it));
    let source = upstream.or(component.source.map(|(name, _)| name));
    Some((source.unwrap_or(own).to_owned(), source.is_none()))
}

proptest! {
    #[test]
    fn stated_the_tool_and_the_format_have_no_meaning(
        components in components(),
        one in written(),
        other in written(),
    ) {
        let found = findings(&one.document(&components));
        prop_assert_eq!(&found, &findings(&other.document(&components)));
        for finding in &found {
            let component = components.iter().find(|it| it.purl == finding.purl);
            let taken = (finding.package.key.name.clone(), finding.source_assumed);
            prop_assert_eq!(component.and_then(expected), Some(taken), "{}", finding.purl);
        }
    }
}
