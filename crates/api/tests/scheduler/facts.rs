//! Small documents.

use jobengine_domain::digest::Digest;
use serde_json::{Value, json};

/// An image's digest.
pub(crate) fn image(number: u8) -> Digest {
    Digest::of(&[number])
}

/// A `CycloneDX` document of these purls.
pub(crate) fn sbom(purls: &[&str]) -> String {
    let components: Vec<Value> = purls
        .iter()
        .map(|purl| json!({"type": "library", "name": "n", "purl": purl}))
        .collect();
    json!({"bomFormat": "CycloneDX", "specVersion": "1.5", "components": components}).to_string()
}

/// An OSV record: below which version of an npm package a flaw is, and how bad.
pub(crate) fn advisory(id: &str, package: &str, fixed: &str, severity: &str) -> Value {
    json!({
        "id": id, "modified": "2024-01-01T00:00:00Z",
        "database_specific": {"severity": severity},
        "affected": [{
            "package": {"ecosystem": "npm", "name": package},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
        }],
    })
}

/// JSON Lines of some records.
pub(crate) fn lines(records: &[Value]) -> String {
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    lines.join("\n")
}

/// A catalogue of exploited flaws.
pub(crate) fn kev(ids: &[&str]) -> String {
    let entries: Vec<Value> = ids
        .iter()
        .map(|id| json!({"cveID": id, "dateAdded": "2024-01-01"}))
        .collect();
    json!({"count": ids.len(), "vulnerabilities": entries}).to_string()
}

/// An `OpenVEX` document with one statement.
pub(crate) fn vex(id: Option<&str>, flaw: &str, product: &str, status: &str) -> String {
    let mut document = json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "timestamp": "2024-01-01T00:00:00Z",
        "statements": [{"vulnerability": {"name": flaw}, "products": [{"@id": product}], "status": status}],
    });
    if let Some(id) = id {
        document["@id"] = id.into();
    }
    document.to_string()
}
