//! `jobengine match` as a person or a script meets it: the binary, files, exit codes.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

/// A run of the binary.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).expect("one JSON object")
    }

    /// `CODE place` of each problem that a file has.
    fn problems(&self, file: &str) -> Vec<String> {
        let report = self.json();
        let problems = report["problems"].as_array().expect("a list");
        let text =
            |problem: &Value, field: &str| problem[field].as_str().expect("a text").to_owned();
        problems
            .iter()
            .filter(|problem| text(problem, "file").ends_with(file))
            .map(|problem| format!("{} {}", text(problem, "code"), text(problem, "place")))
            .collect()
    }
}

/// A directory with `sboms`, `advisories` and `vex` in it.
struct Case {
    root: TempDir,
}

impl Case {
    /// One good SBOM with two flawed components and one good advisory file.
    fn new() -> Self {
        let case = Self {
            root: tempfile::tempdir().expect("a temporary directory"),
        };
        case.write(
            "sboms/good.json",
            sbom(&["pkg:npm/left-pad@1.1.0", "pkg:npm/%40a/b@2.0.0"]),
        );
        let advisories = [
            advisory("GHSA-1", &["CVE-2024-1"], "left-pad", "1.2.0"),
            advisory("GHSA-2", &["CVE-2024-2"], "@a/b", "2.0.1"),
        ];
        case.write(
            "advisories/good.jsonl",
            advisories.map(|it| it + "\n").concat(),
        );
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, bytes).expect("a file");
    }

    fn run(&self, more: &[&str]) -> Ran {
        let arguments = ["match", "--sbom", "sboms", "--advisories", "advisories"];
        let output = Command::new(env!("CARGO_BIN_EXE_jobengine"))
            .args(arguments.iter().chain(more))
            .current_dir(self.root.path())
            .output()
            .expect("the binary runs");
        Ran {
            code: output.status.code().expect("an exit code"),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    fn run_json(&self, more: &[&str]) -> Ran {
        self.run(&[more, &["--output", "json"]].concat())
    }
}

fn sbom(purls: &[&str]) -> String {
    let components: Vec<_> = purls
        .iter()
        .map(|purl| json!({ "purl": purl }).to_string())
        .collect();
    let components = components.join(",");
    format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{components}]}}"#)
}

fn advisory(id: &str, aliases: &[&str], name: &str, fixed: &str) -> String {
    let range = json!({ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": fixed }] });
    let package = json!({ "ecosystem": "npm", "name": name });
    json!({
        "id": id, "aliases": aliases, "database_specific": { "severity": "HIGH" },
        "affected": [{ "package": package, "ranges": [range] }],
    })
    .to_string()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("packed")
}

#[test]
fn findings_are_sorted_complete_and_the_same_every_time() {
    let case = Case::new();
    case.write(
        "sboms/second.json.zst",
        zstd(sbom(&["pkg:npm/left-pad@1.1.0"]).as_bytes()),
    );
    let kev = json!({ "count": 1, "vulnerabilities": [
        { "cveID": "CVE-2024-2", "dateAdded": "2024-03-01" }] });
    case.write("kev.json", kev.to_string());
    let vex = json!({ "@context": "https://openvex.dev/ns/v0.2.0", "statements": [{
        "vulnerability": { "name": "CVE-2024-1" }, "products": [{ "@id": "pkg:npm/left-pad" }],
        "timestamp": "2024-04-01T00:00:00Z",
        "status": "not_affected", "justification": "vulnerable_code_not_in_execute_path" }] });
    case.write("vex/vex.json", vex.to_string());

    let arguments = ["--vex", "vex", "--kev", "kev.json"];
    let ran = case.run_json(&arguments);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let left_pad = |sbom: &str| {
        json!({ "sbom": sbom, "purl": "pkg:npm/left-pad@1.1.0", "sourceAssumed": false, "advisory": "GHSA-1",
            "aliases": ["CVE-2024-1"], "group": "CVE-2024-1", "severity": "high", "kev": false,
            "status": "not_affected", "justification": "vulnerable_code_not_in_execute_path",
            "fixed": "1.2.0" })
    };
    let scoped = json!({ "sbom": "sboms/good.json", "purl": "pkg:npm/%40a/b@2.0.0",
        "sourceAssumed": false, "advisory": "GHSA-2", "aliases": ["CVE-2024-2"], "group": "CVE-2024-2", "severity": "high",
        "kev": true, "status": "affected", "justification": null, "fixed": "2.0.1" });
    let expected = json!([
        scoped,
        left_pad("sboms/good.json"),
        left_pad("sboms/second.json.zst")
    ]);
    assert_eq!(ran.json()["findings"], expected);
    assert_eq!(ran.json()["summary"]["suppressed"], 2);
    assert_eq!(case.run_json(&arguments).out, ran.out);

    let table = case.run(&arguments);
    assert_eq!(table.code, 0);
    for text in [
        "sboms/good.json: 2 findings",
        "GHSA-2",
        "CVE-2024-2 (exploited)",
        "not affected",
    ] {
        assert!(
            table.out.contains(text),
            "{text} is missing in\n{}",
            table.out
        );
    }
}

#[test]
fn what_cannot_be_judged_is_listed_with_the_reason() {
    let case = Case::new();
    let purls = [
        "pkg:npm/odd@1.0.0",
        "pkg:rpm/redhat/bash@5.1",
        "https://example.org/x",
    ];
    case.write("sboms/good.json", sbom(&purls));
    case.write(
        "advisories/odd.json",
        advisory("GHSA-3", &[], "odd", "next tuesday"),
    );
    let ran = case.run_json(&[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let report = ran.json();
    let unmatched = report["unmatched"].as_array().expect("a list");
    let listed: Vec<_> = unmatched
        .iter()
        .map(|entry| entry["purl"].as_str().expect("a purl"))
        .collect();
    assert_eq!(
        listed,
        [
            "https://example.org/x",
            "pkg:npm/odd@1.0.0",
            "pkg:rpm/redhat/bash@5.1"
        ]
    );
    let reason = unmatched[1]["reason"].as_str().expect("a reason");
    assert!(
        reason.contains("GHSA-3") && reason.contains("next tuesday"),
        "{reason}"
    );
}

/// Each bad file beside good ones: named with code and place, exit 1, the good ones still count.
fn check(name: &str, bytes: &[u8], expected: &str) {
    let case = Case::new();
    case.write(name, bytes);
    let vex: &[&str] = if name.starts_with("vex/") {
        &["--vex", "vex"]
    } else {
        &[]
    };
    let ran = case.run_json(vex);
    assert_eq!(ran.code, 1, "{name}: {}", ran.err);
    assert_eq!(ran.problems(name), [expected], "{}", ran.err);
    assert!(ran.err.contains(name), "{}", ran.err);
    let report = ran.json();
    assert_eq!(
        report["findings"].as_array().map(Vec::len),
        Some(2),
        "{name}"
    );
    let (kind, good) = match name.split('/').next() {
        Some("sboms") => ("sbomFiles", 1),
        Some("advisories") => ("advisoryFiles", 1),
        _ => ("vexFiles", 0),
    };
    assert_eq!(
        report["summary"][kind],
        json!({ "read": good, "refused": 1 }),
        "{name}"
    );
    assert!(
        ran.err.contains(&format!("{good} read, 1 refused")),
        "{}",
        ran.err
    );
}

#[test]
fn a_truncated_sbom_is_named() {
    let whole = sbom(&["pkg:npm/a@1"]);
    check(
        "sboms/cut.json",
        &whole.as_bytes()[..whole.len() - 5],
        "DOCUMENT_TRUNCATED line 1 column 78",
    );
}

#[test]
fn a_nul_is_named() {
    check(
        "sboms/nul.json",
        &[b"{\"a\":\n\"", b"\0".as_slice(), b"\"}"].concat(),
        "DOCUMENT_NUL line 2 column 2",
    );
    check(
        "sboms/nul.json",
        sbom(&["pkg:npm/a\0@1"]).as_bytes(),
        "DOCUMENT_NUL line 1 column 78",
    );
}

#[test]
fn an_advisory_without_ranges_is_named() {
    let record = r#"{"id":"X-1","affected":[{"package":{"ecosystem":"npm","name":"a"}}]}"#;
    check(
        "advisories/bare.json",
        record.as_bytes(),
        "ADVISORY_RANGE_MISSING affected[0].ranges",
    );
}

#[test]
fn a_broken_escape_is_named() {
    let text = sbom(&["pkg:npm/left-pad@1.1.0", "pkg:npm/%zz@1"]);
    check(
        "sboms/escape.json",
        text.as_bytes(),
        "PURL_INVALID components[1].purl",
    );
}

#[test]
fn a_stream_cut_short_is_named() {
    let packed = zstd(sbom(&["pkg:npm/a@1"]).as_bytes());
    let cut = &packed[..packed.len() - 4];
    let case = Case::new();
    case.write("sboms/cut.json.zst", cut);
    let ran = case.run_json(&[]);
    assert_eq!(ran.code, 1);
    let problems = ran.problems("cut.json.zst");
    assert!(
        problems[0].starts_with("COMPRESSION_TRUNCATED byte "),
        "{problems:?}"
    );
    assert_eq!(ran.json()["findings"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_statement_without_a_product_is_named() {
    let text = r#"{"@context":"https://openvex.dev/ns","statements":[{"vulnerability":"CVE-1","status":"fixed"}]}"#;
    check(
        "vex/bare.json",
        text.as_bytes(),
        "VEX_INVALID statements[0].products",
    );
}

#[test]
fn a_hundred_megabytes_of_brackets_are_refused() {
    let case = Case::new();
    let bomb = |path: &Path| {
        let mut file = fs::File::create(path).expect("a file");
        let block = vec![b'['; 1_000_000];
        (0..100).for_each(|_| file.write_all(&block).expect("written"));
    };
    bomb(&case.path("sboms/bomb.json"));
    bomb(&case.path("advisories/bomb.json"));
    case.write("sboms/packed.json.zst", zstd(&vec![b'['; 100_000_000]));
    let ran = case.run_json(&[]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert_eq!(
        ran.problems("sboms/bomb.json"),
        ["DOCUMENT_TOO_LARGE byte 33554432"]
    );
    assert_eq!(
        ran.problems("advisories/bomb.json"),
        ["DOCUMENT_TOO_DEEP line 1 column 65"]
    );
    let packed = ran.problems("packed.json.zst");
    assert!(
        packed[0].starts_with("COMPRESSION_BOMB byte 33554433"),
        "{packed:?}"
    );
    assert_eq!(ran.json()["findings"].as_array().map(Vec::len), Some(2));
}

#[test]
fn one_bad_record_does_not_take_the_others_with_it() {
    let case = Case::new();
    let file = [
        advisory("GHSA-4", &[], "left-pad", "9.0.0"),
        r#"{"id":""}"#.to_owned(),
        advisory("GHSA-5", &[], "left-pad", "9.0.0"),
    ];
    case.write("advisories/mixed.jsonl", file.join("\n"));
    let ran = case.run_json(&[]);
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.problems("mixed.jsonl"),
        ["ADVISORY_ID_MISSING line 2: id"]
    );
    assert_eq!(ran.json()["findings"].as_array().map(Vec::len), Some(4));
    assert_eq!(
        ran.json()["summary"]["advisories"],
        json!({ "read": 4, "refused": 1 })
    );
    assert_eq!(
        ran.json()["summary"]["advisoryFiles"],
        json!({ "read": 2, "refused": 0 })
    );
}

#[test]
fn a_path_that_is_not_there_is_named() {
    let case = Case::new();
    let ran = case.run_json(&["--kev", "nowhere.json"]);
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.problems("nowhere.json"),
        ["DOCUMENT_UNREADABLE the file"]
    );
    let usage = Command::new(env!("CARGO_BIN_EXE_jobengine"))
        .arg("match")
        .output()
        .expect("runs");
    assert_eq!(usage.status.code(), Some(2));
}

#[test]
fn a_record_without_ranges_in_a_feed_is_only_warned_of() {
    let case = Case::new();
    let bare = r#"{"id":"X-1","affected":[{"package":{"ecosystem":"npm","name":"a"}}]}"#;
    let sound = advisory("GHSA-1", &["CVE-2024-1"], "left-pad", "1.2.0");
    case.write("advisories/good.jsonl", format!("{bare}\n{sound}\n"));
    let ran = case.run_json(&[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("warning: "), "{}", ran.err);
    assert_eq!(ran.json()["findings"].as_array().map(Vec::len), Some(1));
    assert_eq!(ran.json()["problems"][0]["level"], "warning");
}
