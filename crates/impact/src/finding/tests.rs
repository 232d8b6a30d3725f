//! Sets that differ in what their components were taken for.

use super::*;

fn finding(image: &str, version: &str, assumed: bool) -> Finding {
    let text = format!(
        r#"{{"image":"{image}","purl":"pkg:deb/debian/a@1?distro=debian-12","group":"CVE-1",
            "package":{{"key":"Debian:12/a","version":"{version}"}},"sourceAssumed":{assumed},
            "advisories":["DSA-1"],"severity":"high","kev":false,"status":"affected"}}"#
    );
    serde_json::from_str(&text).expect("a finding")
}

fn sets(findings: &[Finding]) -> FindingSets {
    let images = BTreeMap::from([("x", 1), ("y", 2), ("z", 3)]);
    let mut sets = FindingSets::default();
    sets.replace(&images, &Scope::All, findings);
    sets
}

#[test]
fn one_row_holds_what_differs_in_its_basis_only() {
    let findings = [
        finding("x", "1", true),
        finding("y", "1", false),
        finding("z", "2", false),
    ];
    let found = sets(&findings);
    let rows: Vec<FindingRow> = found.rows().collect();
    let [row] = rows.as_slice() else {
        panic!("{rows:?}")
    };
    assert_eq!(row.members().expect("a set").to_vec(), [1, 2, 3]);
    let by_basis = row.by_basis().expect("sets");
    let told: Vec<_> = by_basis
        .iter()
        .map(|(basis, images)| {
            (
                basis.version.as_str(),
                basis.source_assumed,
                images.to_vec(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("1", false, vec![2]),
            ("1", true, vec![1]),
            ("2", false, vec![3])
        ]
    );
    assert_eq!(FindingSets::from_rows(rows).expect("rows"), found);
    let reversed: Vec<Finding> = findings.iter().rev().cloned().collect();
    assert!(sets(&reversed).rows().eq(found.rows()));
}

#[test]
fn a_row_of_an_earlier_release_has_no_basis_and_is_no_other_finding() {
    let now = sets(&[finding("x", "1", true), finding("y", "1", true)]);
    let mut old: Vec<FindingRow> = now.rows().collect();
    old[0].basis = Basis::default();
    let before = FindingSets::from_rows(old.clone()).expect("rows");
    assert_eq!(before.rows().collect::<Vec<_>>(), old);
    let summary = crate::summary::DeltaSummary::between(&before, &now);
    assert!(summary.is_empty(), "{summary:?}");
}

#[test]
fn an_image_that_left_a_row_does_not_come_back_through_its_others() {
    let found = sets(&[finding("x", "1", false), finding("y", "2", false)]);
    let mut row = found.rows().next().expect("a row");
    // As an earlier release leaves it, which knows the images of a row and nothing of their basis.
    row.images = stored(&Bitmap::of(&[1, 3]));
    let by_basis = row.by_basis().expect("sets");
    assert_eq!(by_basis.len(), 1);
    assert_eq!(by_basis[&row.basis].to_vec(), [1, 3]);
}
