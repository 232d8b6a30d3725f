//! Small records, good and bad.

use super::*;
use crate::advisory::{Range, RangeEvent, RangeScheme};

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

/// A record whose parts cannot all be read: `CODE place` of those, and `package versions ranges` of the
/// entries that count, `?` behind those with an unread part.
fn partly(text: &str, unread: &[&str], affected: &[&str]) {
    let advisory = read(text.as_bytes()).expect("a record that counts");
    let told: Vec<_> = advisory
        .unread
        .iter()
        .map(|part| format!("{} {}", part.code, part.place))
        .collect();
    assert_eq!(told, unread, "{text}");
    let entry = |entry: &crate::advisory::Affected| {
        let mark = if entry.unread { "?" } else { "" };
        let counts = (entry.versions.len(), entry.ranges.len());
        format!("{} {} {}{mark}", entry.package, counts.0, counts.1)
    };
    let told: Vec<_> = advisory.affected.iter().map(entry).collect();
    assert_eq!(told, affected, "{text}");
}

#[test]
fn what_can_be_read_counts_and_the_rest_is_noted() {
    let npm = |name: &str, rest: &str| {
        format!(r#"{{"package":{{"ecosystem":"npm","name":"{name}"}}{rest}}}"#)
    };
    let good = r#","ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]"#;
    let one = |rest: &str| with_affected(&format!("[{}]", npm("a", rest)));
    let invalid = |place: &str| format!("ADVISORY_FIELD_INVALID {place}");
    let check = |rest: &str, place: &str, affected: &str| {
        partly(&one(rest), &[&invalid(place)], &[affected]);
    };
    check(
        r#","ranges":[{"type":3,"events":[{"introduced":"0"}]}],"versions":["1"]"#,
        "affected[0].ranges[0].type",
        "npm/a 1 0?",
    );
    check(
        r#","ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{}]}],"versions":["1","2"]"#,
        "affected[0].ranges[0].events[1]",
        "npm/a 2 0?",
    );
    check(
        r#","ranges":[{"type":"SEMVER","events":[{"introduced":"0","fixed":7}]},{"type":"SEMVER","events":[{"introduced":"2"}]}]"#,
        "affected[0].ranges[0].events[0].fixed",
        "npm/a 0 1?",
    );
    check(
        r#","ranges":{"type":"SEMVER"},"versions":["1"]"#,
        "affected[0].ranges",
        "npm/a 1 0?",
    );
    check(
        r#","versions":["1",2]"#,
        "affected[0].versions[1]",
        "npm/a 1 0?",
    );
    check(
        &format!(r#"{good},"severity":[7]"#),
        "affected[0].severity[0]",
        "npm/a 0 1",
    );
    let two = |other: &str| with_affected(&format!("[{other},{}]", npm("b", good)));
    partly(&two("7"), &[&invalid("affected[0]")], &["npm/b 0 1"]);
    partly(
        &two(r#"{"package":{"name":"a"}}"#),
        &[&invalid("affected[0].package.ecosystem")],
        &["npm/b 0 1"],
    );
    partly(
        &two(&npm("a", "")),
        &["ADVISORY_RANGE_MISSING affected[0].ranges"],
        &["npm/a 0 0", "npm/b 0 1"],
    );
    partly(
        &two(&npm("a", r#","ranges":[{"type":3}]"#)),
        &[&invalid("affected[0].ranges[0].type")],
        &["npm/a 0 0?", "npm/b 0 1"],
    );
}

#[test]
fn fields_beside_the_ranges_refuse_nothing() {
    let record = r#"{"id":"X-1","modified":{"seconds":1},"aliases":["CVE-1",7],"upstream":"CVE-2",
        "severity":{},"database_specific":[],"affected":[{"package":{"ecosystem":"npm","name":"a"},
        "versions":["1"]}]}"#;
    let places = [
        "modified",
        "aliases[1]",
        "upstream",
        "severity",
        "database_specific",
    ];
    let places = places.map(|place| format!("ADVISORY_FIELD_INVALID {place}"));
    partly(
        record,
        &places.each_ref().map(String::as_str),
        &["npm/a 1 0"],
    );
    let advisory = read(record.as_bytes()).expect("a record that counts");
    assert_eq!(advisory.aliases.iter().collect::<Vec<_>>(), ["CVE-1"]);
}

#[test]
fn a_withdrawal_counts_whatever_else_the_record_says() {
    let record = r#"{"id":"X-1","withdrawn":"2024-01-01T00:00:00Z","affected":[7,
        {"package":{"ecosystem":"npm","name":"a"},"ranges":[{"type":3}]}]}"#;
    let advisory = read(record.as_bytes()).expect("a record that counts");
    assert!(advisory.withdrawn && advisory.unread.is_empty());
}

#[test]
fn the_notes_of_a_record_are_bounded() {
    let odd = vec!["7"; UNREAD_MAX + 5].join(",");
    let record = format!(r#"{{"id":"X-1","aliases":[{odd}]}}"#);
    let advisory = read(record.as_bytes()).expect("a record that counts");
    assert_eq!(
        (advisory.unread.len(), advisory.unread_more),
        (UNREAD_MAX, 5)
    );
}

#[test]
fn a_record_in_a_file_has_its_bytes_its_id_and_its_warnings() {
    let odd = r#"{"id":"X-2","aliases":[7]}"#;
    let refused = r#"{"id":"X-3","affected":[7]}"#;
    let file = format!("{{\"id\":\"X-1\"}}\n {odd} \n{refused}\n{{\"id\":7}}\n{{\"id\":\"X-4\",}}");
    let read: Vec<_> = pieces(file.as_bytes()).collect();
    let ids: Vec<_> = read.iter().map(ReadRecord::id).collect();
    let id = |text: &str| Some(text.to_owned());
    assert_eq!(ids, [id("X-1"), id("X-2"), id("X-3"), None, None]);
    assert_eq!(read[1].bytes, odd.as_bytes());
    assert_eq!(read[1].warnings()[0].place, "line 2: aliases[0]");
    assert!(read[0].warnings().is_empty() && read[2].warnings().is_empty());
    let error = read[2].advisory.as_ref().expect_err("refused");
    assert_eq!(error.place, "line 3: affected[0]");
}
