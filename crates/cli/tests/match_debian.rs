//! `jobengine match` with Debian packages: what is judged depends on what a component's own entry states,
//! never on the tool that wrote the document.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

/// A flaw of the source package `expat` in Debian 12, fixed in `2.5.0-1+deb12u1`.
fn advisory() -> String {
    json!({
        "id": "DSA-1", "upstream": ["CVE-2024-1"],
        "affected": [{
            "package": { "ecosystem": "Debian:12", "name": "expat" },
            "ranges": [{ "type": "ECOSYSTEM", "events": [
                { "introduced": "0" }, { "fixed": "2.5.0-1+deb12u1" }] }],
        }],
    })
    .to_string()
}

/// Runs `jobengine match` over one SBOM and that advisory.
fn matched(sbom: &Value) -> Value {
    let root = tempfile::tempdir().expect("a temporary directory");
    fs::write(root.path().join("sbom.json"), sbom.to_string()).expect("a file");
    fs::write(root.path().join("advisory.json"), advisory()).expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_jobengine"))
        .args(["match", "--sbom", "sbom.json", "--advisories"])
        .args(["advisory.json", "--output", "json"])
        .current_dir(root.path())
        .output()
        .expect("the binary runs");
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

/// The document must give the one finding of its one component, with the source package stated or assumed.
fn check(sbom: &Value, assumed: bool) {
    let report = matched(sbom);
    let findings: Vec<_> = report["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| (&row["advisory"], &row["sourceAssumed"], &row["fixed"]))
        .collect();
    let expected = (&json!("DSA-1"), &json!(assumed), &json!("2.5.0-1+deb12u1"));
    assert_eq!(findings, [expected], "{sbom:#}\n{report:#}");
    assert_eq!(report["unmatched"], json!([]), "{sbom:#}");
}

fn cyclonedx(tools: &Value, purl: &str, properties: &[(&str, &str)]) -> Value {
    let properties: Vec<Value> = properties
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "metadata": { "tools": tools },
        "components": [{ "name": "n", "purl": purl, "properties": properties }],
    })
}

fn spdx(tool: &str, purl: &str, source_info: Option<&str>) -> Value {
    json!({
        "spdxVersion": "SPDX-2.3", "creationInfo": { "creators": [tool] },
        "packages": [{
            "SPDXID": "SPDXRef-1", "name": "n", "sourceInfo": source_info,
            "externalRefs": [{ "referenceType": "purl", "referenceLocator": purl }],
        }],
    })
}

#[test]
fn the_upstream_qualifier_counts_whatever_tool_wrote_it() {
    let purl = "pkg:deb/debian/libexpat1@2.5.0-1%2Bb1?arch=amd64&distro=debian-12&upstream=expat%402.5.0-1";
    let bare = "pkg:deb/debian/libexpat1@2.5.0-1?distro=debian-12.5&upstream=expat";
    for purl in [purl, bare] {
        for tools in [
            json!(null),
            json!([{ "name": "trivy" }]),
            json!([{ "vendor": "cyclonedx", "name": "cdxgen" }]),
            json!({ "components": [{ "name": "syft" }] }),
        ] {
            check(&cyclonedx(&tools, purl, &[]), false);
        }
        for tool in ["Tool: buildkit-v0.12.4", "Tool: trivy", "Person: nobody"] {
            check(&spdx(tool, purl, None), false);
        }
    }
}

#[test]
fn properties_of_the_component_name_its_source_package() {
    let purl = "pkg:deb/debian/libexpat1@2.5.0-1%2Bb1?arch=amd64&distro=debian-12.5";
    let trivy = [
        ("aquasecurity:trivy:PkgType", "debian"),
        ("aquasecurity:trivy:SrcRelease", "1"),
        ("aquasecurity:trivy:SrcName", "expat"),
        ("aquasecurity:trivy:SrcVersion", "2.5.0"),
    ];
    let syft = [
        ("syft:metadata:sourceVersion", "2.5.0-1"),
        ("syft:metadata:source", "expat"),
    ];
    for tools in [
        json!(null),
        json!([{ "name": "trivy" }]),
        json!([{ "name": "bom" }]),
    ] {
        check(&cyclonedx(&tools, purl, &trivy), false);
        check(&cyclonedx(&tools, purl, &syft), false);
        check(&cyclonedx(&tools, purl, &syft[1..]), false);
    }
}

#[test]
fn an_epoch_of_the_source_package_counts() {
    let purl = "pkg:deb/debian/libexpat1@2.5.0-1?distro=debian-12";
    let with_epoch = [
        ("aquasecurity:trivy:SrcName", "expat"),
        ("aquasecurity:trivy:SrcVersion", "2.5.0"),
        ("aquasecurity:trivy:SrcRelease", "1"),
        ("aquasecurity:trivy:SrcEpoch", "1"),
    ];
    let report = matched(&cyclonedx(&json!(null), purl, &with_epoch));
    assert_eq!(report["findings"], json!([]), "1:2.5.0-1 is above the fix");
}

#[test]
fn source_info_of_spdx_names_the_source_package() {
    let purl = "pkg:deb/debian/libexpat1@2.5.0-1?distro=debian-12";
    for tool in ["Tool: trivy", "Tool: syft-1.0", "Organization: nobody"] {
        for info in [
            "built package from: expat 2.5.0-1",
            "acquired package info from DPKG DB: /var/lib/dpkg/status; built package from: expat 2.5.0-1",
        ] {
            check(&spdx(tool, purl, Some(info)), false);
        }
    }
}

#[test]
fn without_any_statement_the_binary_name_is_assumed_and_marked() {
    let purl = "pkg:deb/debian/expat@2.5.0-1?arch=amd64&distro=debian-12";
    check(&cyclonedx(&json!([{ "name": "syft" }]), purl, &[]), true);
    check(&cyclonedx(&json!([{ "name": "trivy" }]), purl, &[]), true);
    check(&spdx("Tool: syft-1.0", purl, None), true);
}

#[test]
fn another_distribution_and_an_unknown_release_are_not_judged() {
    for (purl, reason) in [
        (
            "pkg:deb/ubuntu/expat@2.5.0-1?distro=ubuntu-22.04&upstream=expat",
            "`deb/ubuntu` packages are not judged",
        ),
        (
            "pkg:deb/ubuntu/expat@2.5.0-1?distro=debian-12&upstream=expat",
            "`deb/ubuntu` packages are not judged",
        ),
        (
            "pkg:deb/debian/expat@2.5.0-1?distro=debian&upstream=expat",
            "the document does not name the Debian release",
        ),
        (
            "pkg:deb/debian/expat@2.5.0-1?upstream=expat",
            "the document does not name the Debian release",
        ),
    ] {
        let report = matched(&cyclonedx(&json!(null), purl, &[]));
        assert_eq!(report["findings"], json!([]), "{purl}");
        assert_eq!(
            report["unmatched"],
            json!([{ "purl": purl, "reason": reason }])
        );
    }
}
