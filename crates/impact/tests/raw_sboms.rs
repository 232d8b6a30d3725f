//! Whole SBOM documents against all advisories, compared with answers worked out by third-party
//! version comparators. Needs the data folder; says so and passes where there is none.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jobengine_impact::advisory::{Advisory, osv};
use jobengine_impact::cvss_table::{self, CvssTable};
use jobengine_impact::document::DocumentCode;
use jobengine_impact::matcher::Matcher;
use jobengine_impact::package::{Ecosystem, Package};
use jobengine_impact::sbom::{self, Component, Sbom};
use jobengine_impact::severity::Severity;
use jobengine_impact::{kev, vex};
use serde::Deserialize;
use serde_json::Value;

/// The two records at head that name a package and not one version of it.
const WITHOUT_VERSIONS: [&str; 2] = ["PYSEC-2025-77", "PYSEC-2026-4"];

/// The folder `impact` of the data, or nothing.
fn data() -> Option<PathBuf> {
    let root = std::env::var_os("JOBENGINE_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let folder = root.join("impact");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: there is no {}", folder.display());
    None
}

fn unpack(path: &std::path::Path) -> Vec<u8> {
    let file = std::fs::File::open(path).expect("the file is there");
    let mut decoder = zstd::Decoder::new(file).expect("a zstd stream");
    decoder.window_log_max(27).expect("a known parameter");
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut decoder, &mut bytes).expect("a whole zstd stream");
    bytes
}

fn lines<T: for<'de> Deserialize<'de>>(path: &std::path::Path) -> Vec<T> {
    let bytes = unpack(path);
    let values = serde_json::Deserializer::from_slice(&bytes).into_iter();
    values.map(|value| value.expect("a line")).collect()
}

/// The readable advisories at head, rated; the others must be the ones known to say nothing.
fn advisories(data: &std::path::Path) -> Vec<Advisory> {
    let table = cvss_table::read(&unpack(&data.join("severity/cve-cvss.jsonl.zst")));
    let table: CvssTable = table.expect("a good table");
    let mut refused = Vec::new();
    let mut advisories = Vec::new();
    for record in osv::read_all(&unpack(&data.join("advisories/all.head.jsonl.zst"))) {
        match record {
            Ok(mut advisory) => {
                table.rate(&mut advisory);
                advisories.push(advisory);
            }
            Err(error) => refused.push(error),
        }
    }
    assert_eq!(refused.len(), WITHOUT_VERSIONS.len(), "{refused:#?}");
    for (error, id) in refused.iter().zip(WITHOUT_VERSIONS) {
        assert_eq!(error.code, DocumentCode::AdvisoryRangeMissing, "{error}");
        assert!(error.detail.starts_with(id), "{error}");
        assert!(error.place.ends_with(": affected[0].ranges"), "{error}");
    }
    advisories
}

#[derive(Deserialize)]
struct Expected {
    file: String,
    distinct_purls: usize,
    critical: usize,
    high: usize,
    kev: usize,
    findings: BTreeSet<(String, String, String)>,
}

/// An answer that the rules leave open: nobody's error either way.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Uncertain {
    id: String,
    ecosystem: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: String,
}

impl Uncertain {
    fn of(id: &str, package: &Package) -> Self {
        let system = package.key.ecosystem.as_str();
        let release = &package.key.release;
        let ecosystem = if release.is_empty() {
            system.to_owned()
        } else {
            format!("{system}:{release}")
        };
        let (name, version) = (package.key.name.clone(), package.version.clone());
        Self {
            id: id.to_owned(),
            ecosystem,
            name,
            version,
        }
    }
}

/// The CVEs of the catalogue after its last change.
fn exploited(data: &std::path::Path) -> BTreeSet<String> {
    let base = kev::read(&unpack(&data.join("kev/kev.base.json.zst"))).expect("a whole catalogue");
    let mut exploited: BTreeSet<String> = base.entries.into_keys().collect();
    for change in lines::<Value>(&data.join("kev/kev.changes.jsonl.zst")) {
        let cve = change["cve"].as_str().expect("an id").to_owned();
        match change["op"].as_str() {
            Some("remove" | "delete") => exploited.remove(&cve),
            _ => exploited.insert(cve),
        };
    }
    exploited
}

#[test]
fn raw_documents_have_the_expected_findings() {
    let Some(data) = data() else { return };
    let advisories = advisories(&data);
    let matcher = Matcher::new(&advisories);
    let uncertain: BTreeSet<Uncertain> = lines(&data.join("expected/uncertain.jsonl.zst"))
        .into_iter()
        .collect();
    let exploited = exploited(&data);

    let mut differences = Vec::new();
    let (mut documents, mut agreed, mut unjudged) = (0, 0, BTreeSet::new());
    for expected in lines::<Expected>(&data.join("expected/raw-sboms-head.jsonl.zst")) {
        let sbom = sbom::read(&unpack(&data.join(&expected.file)))
            .unwrap_or_else(|error| panic!("{}: {error}", expected.file));
        let answered = |part: &Component| is_answered(&expected.file, part);
        let found = Found::of(&sbom, answered, &matcher, &exploited, &uncertain);
        let wanted: BTreeSet<(String, String)> = expected
            .findings
            .iter()
            .map(|(purl, _, id)| (purl.clone(), id.clone()))
            .collect();
        let name = &expected.file;
        differences.extend(
            wanted
                .difference(&found.rows)
                .map(|row| format!("{name}: missing {row:?}")),
        );
        differences.extend(
            found
                .rows
                .difference(&wanted)
                .map(|row| format!("{name}: extra {row:?}")),
        );
        let counts = [found.critical, found.high, found.kev];
        if counts != [expected.critical, expected.high, expected.kev] {
            let wanted = [expected.critical, expected.high, expected.kev];
            differences.push(format!(
                "{name}: critical, high, kev {counts:?}, wanted {wanted:?}"
            ));
        }
        // The described thing counts there where it has a purl, and not here.
        let purls = sbom.components.len();
        if !(purls..=purls + 1).contains(&expected.distinct_purls) {
            differences.push(format!(
                "{name}: {purls} purls, wanted {}",
                expected.distinct_purls
            ));
        }
        documents += 1;
        agreed += wanted.intersection(&found.rows).count();
        unjudged.extend(found.unjudged);
    }
    println!("{documents} documents, {agreed} findings agreed, unjudged: {unjudged:#?}");
    assert!(
        differences.is_empty(),
        "{} differences:\n{}",
        differences.len(),
        differences.join("\n")
    );
    // What is left open here is left open there too, of another version of the same package.
    for (id, what) in unjudged {
        assert!(uncertain.iter().any(|row| row.id == id), "{id} on {what}");
    }
    assert!(documents > 0 && agreed > 0);
}

/// The answers judge Debian components in documents by Syft only, whose purls name the source package.
/// Here others are judged by what they state; the next test compares that.
fn is_answered(file: &str, component: &Component) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    let by_syft = ["spdx-syft-", "cdx-", "k8s-"];
    let is_debian = debian(component).is_some();
    !is_debian || by_syft.iter().any(|start| name.starts_with(start))
}

/// The package of a Debian component.
fn debian(component: &Component) -> Option<&Package> {
    let package = component.identity.as_ref().ok();
    package.filter(|package| package.key.ecosystem == Ecosystem::Debian)
}

#[derive(Default)]
struct Found {
    rows: BTreeSet<(String, String)>,
    critical: usize,
    high: usize,
    kev: usize,
    /// What the rules left open: advisory, component and reason.
    unjudged: BTreeSet<(String, String)>,
}

impl Found {
    fn of(
        sbom: &Sbom,
        answered: impl Fn(&Component) -> bool,
        matcher: &Matcher,
        exploited: &BTreeSet<String>,
        uncertain: &BTreeSet<Uncertain>,
    ) -> Self {
        let mut found = Self::default();
        for component in sbom.components.iter().filter(|part| answered(part)) {
            let Ok(package) = &component.identity else {
                continue;
            };
            let judged = matcher.judge(package);

            for hit in judged.hits {
                let id = &hit.flaw.advisory;
                if uncertain.contains(&Uncertain::of(id, package)) {
                    continue;
                }
                found.rows.insert((component.purl.clone(), id.clone()));
                found.critical += usize::from(hit.severity == Severity::Critical);
                found.high += usize::from(hit.severity == Severity::High);
                found.kev += usize::from(hit.flaw.cves().any(|cve| exploited.contains(cve)));
            }
            for (id, reason) in judged.unmatched {
                if !uncertain.contains(&Uncertain::of(id, package)) {
                    let what = format!("{}: {reason:?}", component.purl);
                    found.unjudged.insert((id.to_owned(), what));
                }
            }
        }
        found
    }
}

#[test]
fn what_trivy_states_of_source_packages_is_what_syft_states() {
    #[derive(Deserialize)]
    struct Line {
        tool: String,
        purls: Vec<String>,
    }
    let Some(data) = data() else { return };
    // The same binary package at the same version, in the purls of Syft: `zlib1g@1.2.11` of Debian 11.
    let binary = |purl: &str, package: &Package| {
        let bare = purl.split('?').next().unwrap_or(purl).to_owned();
        (package.key.release.clone(), bare)
    };
    let mut by_syft = BTreeMap::new();
    for line in lines::<Line>(&data.join("sboms/fleet.jsonl.zst")) {
        for purl in line.purls.iter().filter(|_| line.tool == "syft") {
            let component = Component::new(purl, None);
            if let Some(package) = debian(&component) {
                by_syft.insert(binary(purl, package), package.clone());
            }
        }
    }
    let (mut stated, mut compared) = (0, 0);
    for name in [
        "spdx-trivy-atlassian_pipelines-agent-e34dbbb69064",
        "spdx-trivy-bitnami_azure-cli-514b3f5a9b85",
        "spdx-trivy-dynatrace_easytravel-frontend-69fad2c3b08a",
    ] {
        let path = data.join("sboms/raw").join(format!("{name}.json.zst"));
        let sbom = sbom::read(&unpack(&path)).expect("a good document");
        for component in &sbom.components {
            let Some(package) = debian(component) else {
                continue;
            };
            assert!(!component.source_assumed, "{}", component.purl);
            stated += 1;
            if let Some(other) = by_syft.get(&binary(&component.purl, package)) {
                assert_eq!(package.key, other.key, "{}", component.purl);
                compared += 1;
            }
        }
    }
    println!("{stated} stated, {compared} of them compared");
    assert!(stated > 400 && compared > 100);
}

#[test]
fn a_truncated_catalogue_is_refused_whole() {
    let Some(data) = data() else { return };
    let bytes = unpack(&data.join("kev/kev.truncated-15200f913fd2.json.zst"));
    let error = kev::read(&bytes).expect_err("refused");
    assert_eq!(error.code, DocumentCode::Truncated, "{error}");
}

#[test]
fn openvex_documents_are_read_and_others_refused() {
    #[derive(Deserialize)]
    struct Entry {
        path: String,
        text: String,
    }
    let Some(data) = data() else { return };
    let mut read = 0;
    for entry in lines::<Entry>(&data.join("vex/openvex-small.jsonl.zst")) {
        match vex::openvex::read(entry.text.as_bytes()) {
            Ok(statements) => {
                assert!(!statements.is_empty(), "{}", entry.path);
                read += 1;
            }
            Err(error) => println!("{}: {error}", entry.path),
        }
    }
    for line in lines::<Value>(&data.join("vex/openvex-rancher.history.jsonl.zst")) {
        if line["document"].is_object() {
            let text = line["document"].to_string();
            let result = vex::openvex::read(text.as_bytes());
            assert!(result.is_ok(), "{}: {:?}", line["path"], result.err());
            read += 1;
        }
    }
    assert!(read > 10, "{read}");
}
