//! Findings of Debian packages, from documents that state the source package in different ways.

use serde_json::{Value, json};

use crate::facts::image;
use crate::impact_run::{complete, create};
use crate::service::Service;

/// A document of one component by this tool.
fn document(tool: &str, purl: &str, properties: &Value) -> String {
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "metadata": {"tools": [{"name": tool}]},
        "components": [{"type": "library", "name": "n", "purl": purl, "properties": properties}],
    })
    .to_string()
}

/// Flaws of the source package `expat` in Debian 12: one in every version below the fix, one that was in old
/// versions only.
fn advisories() -> String {
    let record = |id: &str, fixed: &str| {
        json!({"id": id, "upstream": ["CVE-2024-1"], "affected": [{
            "package": {"ecosystem": "Debian:12", "name": "expat"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}]}]})
    };
    json!([
        record("DSA-1", "2.5.0-1+deb12u1"),
        record("DSA-2", "2.4.0-1")
    ])
    .to_string()
}

#[tokio::test]
async fn a_finding_says_whether_its_source_package_is_assumed() {
    let service = Service::start().await;
    let binary = "pkg:deb/debian/libexpat1@2.5.0-1%2Bb1?distro=debian-12.5";
    let own = "pkg:deb/debian/expat@2.5.0-1?distro=debian-12";
    let stated = json!([
        {"name": "aquasecurity:trivy:SrcName", "value": "expat"},
        {"name": "aquasecurity:trivy:SrcVersion", "value": "2.5.0"},
        {"name": "aquasecurity:trivy:SrcRelease", "value": "1"},
    ]);
    for (number, tool, purl, properties) in [
        (1, "trivy", binary, &stated),
        (2, "cdxgen", own, &json!([])),
        (3, "syft", own, &stated),
    ] {
        let path = format!("/sboms?image={}", image(number));
        let document = document(tool, purl, properties);
        let stored = service.post(&path, document).await.ok(201);
        assert_eq!(stored["unmatched"], 0, "{stored:#}");
    }
    let path = "/advisories?source=debian&mode=snapshot";
    service.post(path, advisories()).await.ok(200);
    let images = [1, 2, 3].map(image).into();
    let run = create(&service, &images).await;
    complete(&service, run).await;

    for (number, purl, assumed) in [(1, binary, false), (2, own, true), (3, own, false)] {
        let path = format!("/findings?image={}", image(number));
        let found = service.get(&path).await.ok(200);
        let expected = json!([{
            "image": image(number), "purl": purl, "package": "Debian:12/expat", "sourceAssumed": assumed,
            "group": "CVE-2024-1", "advisories": ["DSA-1"], "severity": "unknown", "kev": false,
        }]);
        assert_eq!(found["items"], expected);
    }
    let fleet = service.get("/findings").await.ok(200);
    let told: Vec<_> = fleet["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (&item["purl"], &item["images"], &item["sourceAssumed"]))
        .collect();
    assert!(
        told.contains(&(&json!(own), &json!(2), &json!(true))),
        "{fleet:#}"
    );
    assert!(
        told.contains(&(&json!(binary), &json!(1), &json!(false))),
        "{fleet:#}"
    );
    let one = service.get("/advisories/DSA-1").await.ok(200);
    assert_eq!(one["imagesHit"], 3);
    let two = service.get("/advisories/DSA-2").await.ok(200);
    assert_eq!(two["imagesHit"], 0);
}

#[tokio::test]
async fn findings_that_were_stored_before_their_version_was_are_still_read() {
    let service = Service::start().await;
    let own = "pkg:deb/debian/expat@2.5.0-1?distro=debian-12";
    let path = format!("/sboms?image={}", image(1));
    let text = document("syft", own, &json!([]));
    service.post(&path, text).await.ok(201);
    let path = "/advisories?source=debian&mode=snapshot";
    service.post(path, advisories()).await.ok(200);
    let run = create(&service, &[image(1)].into()).await;
    complete(&service, run).await;
    service
        .alter("UPDATE finding SET version = '', source_assumed = false, others = NULL")
        .await;
    let found = service.get("/findings").await.ok(200);
    let item = &found["items"][0];
    assert_eq!(item["advisories"], json!(["DSA-1"]), "{found:#}");
    assert_eq!(item["sourceAssumed"], false);
}
