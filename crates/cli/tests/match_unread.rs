//! `jobengine match` with advisories of which only a part can be read.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

fn record(id: &str, ranges: &Value, versions: &Value) -> String {
    json!({ "id": id, "affected": [{
        "package": { "ecosystem": "npm", "name": "a" }, "ranges": ranges, "versions": versions }] })
    .to_string()
}

#[test]
fn what_can_be_read_of_a_record_counts_with_a_warning() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let components: Vec<Value> = ["1.0.0", "2.0.0"]
        .iter()
        .map(|version| json!({ "purl": format!("pkg:npm/a@{version}") }))
        .collect();
    let sbom = json!({ "bomFormat": "CycloneDX", "specVersion": "1.5", "components": components });
    fs::write(root.path().join("sbom.json"), sbom.to_string()).expect("a file");
    let introduced = json!({ "introduced": "0" });
    let records = [
        record(
            "X-1",
            &json!([{ "type": 3, "events": [introduced] }]),
            &json!(["1.0.0"]),
        ),
        record(
            "X-2",
            &json!([{ "type": "SEMVER", "events": [introduced, {}] }]),
            &json!(["1.0.0"]),
        ),
    ];
    fs::write(root.path().join("records.jsonl"), records.join("\n")).expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_jobengine"))
        .args(["match", "--sbom", "sbom.json", "--advisories"])
        .args(["records.jsonl", "--output", "json"])
        .current_dir(root.path())
        .output()
        .expect("the binary runs");
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let list = |name: &str| report[name].as_array().expect("a list").clone();
    let found: Vec<_> = list("findings")
        .iter()
        .map(|row| (row["purl"].clone(), row["advisory"].clone()))
        .collect();
    let hit = |id: &str| (json!("pkg:npm/a@1.0.0"), json!(id));
    assert_eq!(found, [hit("X-1"), hit("X-2")]);
    let problems: Vec<_> = list("problems")
        .iter()
        .map(|it| (it["level"].clone(), it["place"].clone()))
        .collect();
    let warning = |place: &str| (json!("warning"), json!(place));
    assert_eq!(
        problems,
        [
            warning("line 1: affected[0].ranges[0].type"),
            warning("line 2: affected[0].ranges[0].events[1]"),
        ]
    );
    // Of the other version nobody can say that it is not affected.
    let unmatched = list("unmatched");
    assert_eq!(unmatched.len(), 2, "{unmatched:?}");
    for entry in unmatched {
        assert_eq!(entry["purl"], "pkg:npm/a@2.0.0");
        let reason = entry["reason"].as_str().expect("a reason");
        assert!(reason.contains("could not be read"), "{reason}");
    }
}
