//! Small documents of each version, good and bad.

use super::*;

fn vex(version: &str, statements: &str) -> String {
    format!(
        r#"{{"@context":"https://openvex.dev/ns{version}","@id":"d","timestamp":"2024-01-01T00:00:00Z",
            "statements":{statements}}}"#
    )
}

fn product(id: &str, digests: &[&str], subcomponents: &[&str]) -> Product {
    let set = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Product {
        id: id.to_owned(),
        digests: set(digests),
        subcomponents: set(subcomponents),
    }
}

fn check(text: &str, flaws: &[&str], products: &[Product], status: Status, timestamp: &str) {
    let statements = read(text.as_bytes()).expect("a good document");
    let [statement] = statements.as_slice() else {
        panic!("{statements:?}")
    };
    assert_eq!(statement.vulnerabilities.iter().collect::<Vec<_>>(), flaws);
    assert_eq!(
        statement.products.iter().cloned().collect::<Vec<_>>(),
        products
    );
    assert_eq!(
        (statement.status, statement.timestamp.as_str()),
        (status, timestamp)
    );
}

#[test]
fn the_first_version_has_bare_ids() {
    let text = vex(
        "",
        r#"[{"vulnerability":"CVE-1","products":["pkg:a/b@1","c"],"subcomponents":["pkg:a/d"],
            "status":"under_investigation"}]"#,
    );
    let products = [
        product("c", &[], &["pkg:a/d"]),
        product("pkg:a/b@1", &[], &["pkg:a/d"]),
    ];
    check(
        &text,
        &["CVE-1"],
        &products,
        Status::UnderInvestigation,
        "2024-01-01T00:00:00Z",
    );
}

#[test]
fn the_second_version_has_names_and_identifiers() {
    let text = vex(
        "/v0.2.0",
        r#"[{"vulnerability":{"@id":"https://x","name":"GO-1","aliases":["CVE-1","GHSA-1"]},
            "timestamp":"2024-02-01T00:00:00.123456789-06:00","status":"not_affected",
            "justification":"component_not_present",
            "products":[
              {"@id":"image","identifiers":{"purl":"pkg:oci/image","cpe23":"cpe:x"},
               "hashes":{"sha-256":"AA","md5":"bb"},
               "subcomponents":[{"@id":"pkg:a/b@1","identifiers":{"purl":"pkg:a/b@2"}}]},
              {"hashes":{"sha-256":"cc"}}]}]"#,
    );
    let digests: &[&str] = &["md5:bb", "sha256:aa"];
    let parts: &[&str] = &["pkg:a/b@1", "pkg:a/b@2"];
    let products = [
        product("image", digests, parts),
        product("pkg:oci/image", digests, parts),
        product("sha256:cc", &["sha256:cc"], &[]),
    ];
    let time = "2024-02-01T00:00:00.123456789-06:00";
    check(
        &text,
        &["CVE-1", "GHSA-1", "GO-1"],
        &products,
        Status::NotAffected,
        time,
    );
    let statements = read(text.as_bytes()).expect("a good document");
    assert_eq!(
        statements[0].justification.as_deref(),
        Some("component_not_present")
    );
}

#[test]
fn bad_documents_are_named_with_their_place() {
    let refused = |text: &str, place: &str| {
        let error = read(text.as_bytes()).expect_err("refused");
        assert_eq!(
            (error.code, error.place.as_str()),
            (DocumentCode::VexInvalid, place),
            "{error}"
        );
    };
    refused("{}", "@context");
    refused(&vex("/v9.0.0", "[]"), "@context");
    refused(
        r#"{"@context":"https://openvex.dev/ns"}"#,
        "line 1 column 37",
    );
    let statement = |rest: &str| vex("/v0.2.0", &format!("[{{{rest}}}]"));
    let good = r#""vulnerability":{"name":"CVE-1"},"products":[{"@id":"a"}]"#;
    refused(&statement(good), "statements[0].status");
    refused(
        &statement(&format!(r#"{good},"status":"maybe""#)),
        "statements[0].status",
    );
    refused(
        &statement(r#""products":["a"],"status":"fixed""#),
        "statements[0].vulnerability",
    );
    refused(
        &statement(r#""vulnerability":"CVE-1","status":"fixed""#),
        "statements[0].products",
    );
    refused(
        &statement(r#""vulnerability":"CVE-1","products":[{}],"status":"fixed""#),
        "statements[0].products",
    );
    refused(
        &statement(&format!(
            r#"{good},"status":"fixed","timestamp":"yesterday""#
        )),
        "statements[0].timestamp",
    );
}

#[test]
fn one_bad_document_of_a_file_stays_alone() {
    let good = r#"{"@context":"https://openvex.dev/ns","statements":[]}"#;
    let file = format!("{good}\n{{\"a\":1}}\n{good}\n");
    let read: Vec<_> = read_all(file.as_bytes()).collect();
    assert_eq!(read.iter().filter(|document| document.is_ok()).count(), 2);
    assert_eq!(
        read[1].as_ref().expect_err("refused").place,
        "line 2: @context"
    );
}
