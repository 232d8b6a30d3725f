//! Small records, good and bad.

use super::*;

fn with_affected(affected: &str) -> String {
    format!(
        r#"{{"id":"X-1","modified":"2024-01-01T00:00:00Z","unknown":[{{}}],"affected":{affected}}}"#
    )
}

#[test]
fn facts_are_kept_and_prose_is_not() {
    let advisory = read(
        br#"{"id":"GO-2024-1","modified":"2024-01-02T03:04:05Z","details":"prose","withdrawn":null,
            "aliases":["CVE-2024-2","CVE-2024-1","GO-2024-1"],"upstream":null,
            "severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N"},{"type":"Ubuntu"}],
            "database_specific":{"severity":null,"cvss_score":7.5,"other":{"a":[1]}},
            "affected":[
              {"package":{"ecosystem":"PyPI","name":"Zope.Interface_x"},"versions":["1.0","1.1"],
               "severity":[{"type":"CVSS_V4","score":"CVSS:4.0/AV:N"}],
               "ranges":[{"type":"GIT","repo":"r","events":[{"introduced":"0"}]},
                         {"type":"ECOSYSTEM","events":[{"introduced":"0","fixed":"1.2"},{"limit":"9"}]}]},
              {"package":{"ecosystem":"Debian:11","name":"openssl"},
               "ranges":[{"type":"SEMVER","events":[{"introduced":"1.0"},{"last_affected":"1.5"}]}]},
              {"package":{"ecosystem":"Packagist","name":"a/b"}},
              {"ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]}]}"#,
    )
    .expect("a good record");
    assert_eq!(
        (advisory.id.as_str(), advisory.withdrawn),
        ("GO-2024-1", false)
    );
    assert_eq!(
        advisory.aliases.iter().collect::<Vec<_>>(),
        ["CVE-2024-1", "CVE-2024-2"]
    );
    assert_eq!(advisory.modified, "2024-01-02T03:04:05Z");
    assert_eq!(advisory.database_severity.as_deref(), Some("7.5"));
    assert_eq!(advisory.severity.len(), 1);
    assert_eq!(
        advisory.unsupported.iter().collect::<Vec<_>>(),
        ["GIT", "Packagist"]
    );
    let [python, debian] = advisory.affected.as_slice() else {
        panic!("{advisory:?}")
    };
    assert_eq!(python.package.to_string(), "PyPI/zope-interface-x");
    assert_eq!(python.versions.len(), 2);
    assert_eq!(python.severity[0].kind, "CVSS_V4");
    let text = |text: &str| text.to_owned();
    assert_eq!(
        python.ranges,
        [Range {
            scheme: RangeScheme::Ecosystem,
            events: vec![
                RangeEvent::Introduced(text("0")),
                RangeEvent::Fixed(text("1.2")),
                RangeEvent::Limit(text("9")),
            ],
        }]
    );
    assert_eq!(debian.package.to_string(), "Debian:11/openssl");
    assert_eq!(debian.ranges[0].scheme, RangeScheme::Semver);
    assert_eq!(
        debian.ranges[0].events[1],
        RangeEvent::LastAffected(text("1.5"))
    );
}

#[test]
fn what_affects_nothing_is_no_fault() {
    let check = |text: &str, unsupported: &[&str]| {
        let advisory = read(text.as_bytes()).expect("a good record");
        assert!(advisory.affected.is_empty(), "{advisory:?}");
        assert_eq!(
            advisory.unsupported.iter().collect::<Vec<_>>(),
            unsupported,
            "{text}"
        );
    };
    check(r#"{"id":"X-1"}"#, &[]);
    check(r#"{"id":"X-1","affected":null}"#, &[]);
    check(&with_affected("[]"), &[]);
    check(
        r#"{"id":"X-1","withdrawn":"2024-01-01T00:00:00Z",
            "affected":[{"package":{"ecosystem":"PyPI","name":"a"}}]}"#,
        &[],
    );
    let entry = |package: &str| with_affected(&format!(r#"[{{"package":{package}}}]"#));
    check(
        &entry(r#"{"ecosystem":"Alpine:v3.16","name":"a"}"#),
        &["Alpine:v3.16"],
    );
    check(&entry(r#"{"ecosystem":"Debian","name":"a"}"#), &["Debian"]);
    check(
        &entry(r#"{"ecosystem":"Maven:https://r","name":"a:b"}"#),
        &["Maven:https://r"],
    );
    let commits = r#"[{"package":{"ecosystem":"Go","name":"a"},
        "ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]}]"#;
    check(&with_affected(commits), &["GIT"]);
}

#[test]
fn bad_records_are_named_with_their_place() {
    let refused = |text: &str, code: DocumentCode, place: &str| {
        let error = read(text.as_bytes()).expect_err("refused");
        assert_eq!((error.code, error.place.as_str()), (code, place), "{error}");
    };
    refused("{}", DocumentCode::AdvisoryIdMissing, "id");
    refused(r#"{"id":" "}"#, DocumentCode::AdvisoryIdMissing, "id");
    refused(
        r#"{"id":"X-1","#,
        DocumentCode::Truncated,
        "line 1 column 12",
    );

    let npm = |rest: &str| {
        with_affected(&format!(
            r#"[{{"package":{{"ecosystem":"npm","name":"a"}}{rest}}}]"#
        ))
    };
    let code = DocumentCode::AdvisoryRangeMissing;
    refused(&npm(""), code, "affected[0].ranges");
    refused(
        &npm(r#","ranges":[],"versions":[]"#),
        code,
        "affected[0].ranges",
    );
    refused(
        &npm(r#","ranges":[{"type":"SEMVER","events":[]}]"#),
        code,
        "affected[0].ranges",
    );

    let code = DocumentCode::AdvisoryFieldInvalid;
    refused(&with_affected("{}"), code, "affected");
    refused(&with_affected(r#"["a"]"#), code, "affected[0]");
    refused(
        &with_affected(r#"[{"package":{"name":"a"}}]"#),
        code,
        "affected[0].package.ecosystem",
    );
    refused(
        &with_affected(r#"[{"package":{"ecosystem":"npm"}}]"#),
        code,
        "affected[0].package.name",
    );
    refused(
        &npm(r#","ranges":[{"type":"RPM"}]"#),
        code,
        "affected[0].ranges[0].type",
    );
    let events = |events: &str| {
        npm(&format!(
            r#","ranges":[{{"type":"SEMVER","events":{events}}}]"#
        ))
    };
    refused(
        &events(r#"[{"since":"1"}]"#),
        code,
        "affected[0].ranges[0].events[0]",
    );
    refused(
        &events(r#"[{"fixed":2}]"#),
        code,
        "affected[0].ranges[0].events[0].fixed",
    );
}

#[test]
fn one_bad_record_of_a_file_stays_alone() {
    let good = r#"{"id":"X-1"}"#;
    let file = format!("{good}\n{{\"id\":\"\"}}\n{good}\n");
    let read: Vec<_> = read_all(file.as_bytes()).collect();
    assert_eq!(read.iter().filter(|record| record.is_ok()).count(), 2);
    assert_eq!(read[1].as_ref().expect_err("refused").place, "line 2: id");
    assert_eq!(
        read_all(format!("[{good},{good}]").as_bytes())
            .flatten()
            .count(),
        2
    );
    assert_eq!(read_all(b"[]").count(), 0);
}
