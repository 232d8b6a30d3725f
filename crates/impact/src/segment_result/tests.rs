//! - SEGMENT-1: a result gives back the evaluation it was made from, also through its bytes.
//! - SEGMENT-2: the order in which images were evaluated has no meaning for the bytes.
//! - SEGMENT-3: what was not made here is refused.

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use super::*;
use crate::sbom::Unmatched;

fn image(number: u8) -> Digest {
    Digest::of(&[number])
}

fn finding() -> impl Strategy<Value = Finding> {
    let status = prop_oneof![Just(Status::Affected), Just(Status::NotAffected)];
    let flags = (any::<bool>(), any::<bool>());
    (0..9_u8, "[a-c]", 0..3, 0..5_usize, flags, status).prop_map(
        |(number, name, cve, severity, (kev, source_assumed), status)| Finding {
            image: image(number).to_string(),
            purl: format!("pkg:npm/{name}@1"),
            group: format!("CVE-2024-{cve}"),
            package: Package {
                key: format!("npm/{name}").parse().unwrap(),
                version: "1".to_owned(),
            },
            source_assumed,
            advisories: BTreeSet::from([format!("GHSA-{cve}")]),
            severity: Severity::ALL[severity],
            kev,
            fixed: kev.then(|| "2".to_owned()),
            status,
            justification: status
                .suppresses()
                .then(|| "component_not_present".to_owned()),
        },
    )
}

fn evaluation() -> impl Strategy<Value = Evaluation> {
    let unjudged = "[a-c]".prop_map(|name| Unjudged {
        purl: format!("pkg:npm/{name}"),
        advisory: None,
        reason: Unmatched::VersionMissing,
    });
    (btree_set(finding(), 0..20), btree_set(unjudged, 0..3)).prop_map(|(findings, unmatched)| {
        Evaluation {
            findings: findings.into_iter().collect(),
            unmatched,
        }
    })
}

proptest! {
    #[test]
    fn segment_1_and_2_a_result_is_its_evaluation(
        evaluation in evaluation(),
        order in Just((0..9).collect::<Vec<u8>>()).prop_shuffle(),
    ) {
        let images = order.into_iter().map(image);
        let result = SegmentResult::new(images, evaluation.clone()).unwrap();
        prop_assert_eq!(result.count(), evaluation.findings.len() as u64);
        let bytes = result.to_bytes();
        let back = SegmentResult::read(&bytes).unwrap();
        prop_assert_eq!(&back, &result);
        prop_assert_eq!(back.findings(), evaluation.findings.clone());
        prop_assert_eq!(&back.unmatched, &evaluation.unmatched);
        let again = SegmentResult::new((0..9).map(image), evaluation).unwrap();
        prop_assert_eq!(again.to_bytes(), bytes);
    }

    #[test]
    fn segment_3_a_shuffled_result_is_refused(
        findings in vec(finding(), 2..8),
        images in Just((0..9).map(image).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let evaluation = Evaluation { findings, unmatched: BTreeSet::new() };
        let mut result = SegmentResult::new(images.iter().copied(), evaluation).unwrap();
        let sorted = images.is_sorted();
        result.images = images;
        prop_assert_eq!(SegmentResult::read(&result.to_bytes()).is_ok(), sorted);
    }
}

fn refused(change: impl FnOnce(&mut SegmentResult), expected: &str) {
    let finding = SetFinding {
        purl: "pkg:npm/a@1".to_owned(),
        group: "CVE-2024-1".to_owned(),
        package: Package {
            key: "npm/a".parse().unwrap(),
            version: "1".to_owned(),
        },
        source_assumed: false,
        advisories: BTreeSet::from(["GHSA-1".to_owned()]),
        severity: Severity::High,
        kev: false,
        fixed: None,
        status: Status::Affected,
        justification: None,
        images: vec![0],
    };
    let mut result = SegmentResult {
        images: vec![image(0)],
        findings: vec![finding],
        unmatched: BTreeSet::new(),
    };
    assert_eq!(SegmentResult::read(&result.to_bytes()).unwrap(), result);
    change(&mut result);
    let error = SegmentResult::read(&result.to_bytes()).expect_err("refused");
    assert_eq!(error.to_string(), expected);
}

#[test]
fn segment_3_each_lie_is_named() {
    refused(
        |result| result.findings[0].images = vec![1],
        "finding CVE-2024-1 of pkg:npm/a@1 names image 1, which was not evaluated",
    );
    refused(
        |result| result.findings[0].images.clear(),
        "finding CVE-2024-1 of pkg:npm/a@1 has no image",
    );
    refused(
        |result| result.findings[0].images = vec![0, 0],
        "images of finding CVE-2024-1 of pkg:npm/a@1 is not sorted, or holds something twice",
    );
    refused(
        |result| {
            result.images.push(image(1));
            result.images.sort_unstable();
            let finding = result.findings[0].clone();
            result.findings.push(SetFinding {
                images: vec![1],
                ..finding
            });
        },
        "findings is not sorted, or holds something twice",
    );
    let unknown = br#"{"images":[],"findings":[],"unmatched":[],"more":1}"#;
    assert!(matches!(
        SegmentResult::read(unknown),
        Err(SegmentResultError::Json(_))
    ));
}

#[test]
fn a_finding_of_another_image_is_refused() {
    let finding = Finding {
        image: image(7).to_string(),
        purl: "pkg:npm/a@1".to_owned(),
        group: "CVE-2024-1".to_owned(),
        package: Package {
            key: "npm/a".parse().unwrap(),
            version: "1".to_owned(),
        },
        source_assumed: false,
        advisories: BTreeSet::new(),
        severity: Severity::High,
        kev: false,
        fixed: None,
        status: Status::Affected,
        justification: None,
    };
    let evaluation = Evaluation {
        findings: vec![finding],
        unmatched: BTreeSet::new(),
    };
    assert!(matches!(
        SegmentResult::new([image(1)], evaluation),
        Err(SegmentResultError::ImageUnknown { .. })
    ));
}
