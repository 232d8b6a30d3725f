//! Evaluating one segment: image by image, so that it can be watched, paced and stopped.

use std::mem;

use jobengine_impact::evaluate::{Evaluation, evaluate};
use jobengine_impact::matcher::Matcher;
use jobengine_impact::segment_input::SegmentInput;
use jobengine_impact::segment_result::SegmentResult;
use jobengine_sdk::Failure;
use jobengine_sdk::wire::report::FailureClass;

/// Evaluates a segment from the server's description of it.
///
/// `turn` is asked before each image, with how many are done and how many there are; it may take its
/// time, and ends the evaluation by answering `false`. Ranges are compiled once, and each distinct
/// package is judged once, however many images carry it.
///
/// # Errors
/// [`FailureClass::Schema`] when the description cannot be used; [`FailureClass::User`] when `turn`
/// ended it.
pub(super) fn evaluate_segment(
    description: &[u8],
    mut turn: impl FnMut(usize, usize) -> bool,
) -> Result<SegmentResult, Failure> {
    let mut input: SegmentInput = serde_json::from_slice(description)
        .map_err(|error| unusable(format!("the segment cannot be read: {error}")))?;
    let matcher = Matcher::new(&mem::take(&mut input.advisories));
    let kev = mem::take(&mut input.kev);
    let vex = mem::take(&mut input.vex);
    let scope = input.scope.clone();
    let images = input
        .into_images()
        .map_err(|error| unusable(error.to_string()))?;

    let mut done = 0;
    let taken = images.iter().map_while(|image| {
        let goes_on = turn(done, images.len());
        done += usize::from(goes_on);
        goes_on.then(|| image.input())
    });
    let evaluation: Evaluation = evaluate(taken, &scope, &matcher, &kev, &vex);
    if done < images.len() {
        let why = format!("stopped after {done} of {} images", images.len());
        return Err(Failure::new(FailureClass::User, why));
    }
    SegmentResult::new(images.iter().map(|image| image.digest), evaluation)
        .map_err(|error| Failure::new(FailureClass::Internal, error.to_string()))
}

fn unusable(detail: String) -> Failure {
    Failure::new(FailureClass::Schema, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two images: one with a flawed package that VEX excuses, one with it and one that nobody
    /// knows; the scope is both packages.
    fn description() -> String {
        let image = |digit: char| format!("sha256:{}", digit.to_string().repeat(64));
        let component = |name: &str| {
            format!(
                r#"{{"purl":"pkg:npm/{name}@1.0.0","identity":{{"Ok":{{"key":"npm/{name}","version":"1.0.0"}}}}}}"#
            )
        };
        format!(
            r#"{{"runId":"01890000-0000-7000-8000-000000000000","ordinal":0,
            "scope":{{"packages":["npm/a","npm/b"]}},
            "images":[{{"digest":"{}","names":[],"components":[0,1]}},
                      {{"digest":"{}","names":["r:1"],"components":[0]}}],
            "components":[{},{}],
            "advisories":[{{"id":"GHSA-1","aliases":["CVE-2024-1"],"databaseSeverity":"HIGH",
                "affected":[{{"package":"npm/a","ranges":[{{"scheme":"semver",
                    "events":[{{"introduced":"0"}},{{"fixed":"1.2.0"}}]}}]}}]}}],
            "kev":{{"entries":{{"CVE-2024-1":"2024-01-01"}}}},
            "vex":[{{"vulnerabilities":["CVE-2024-1"],"products":[{{"id":"r:1"}}],"status":"not_affected"}}]}}"#,
            image('2'),
            image('1'),
            component("a"),
            component("b"),
        )
    }

    #[test]
    fn a_segment_gives_its_findings_as_sets() {
        let mut turns = Vec::new();
        let result = evaluate_segment(description().as_bytes(), |done, all| {
            turns.push((done, all));
            true
        })
        .expect("a good segment");
        assert_eq!(turns, [(0, 2), (1, 2)]);
        assert!(result.images.is_sorted());
        let found: Vec<_> = result
            .findings
            .iter()
            .map(|finding| {
                assert_eq!((finding.group.as_str(), finding.kev), ("CVE-2024-1", true));
                (finding.status.suppresses(), finding.images.as_slice())
            })
            .collect();
        // Image 0 is the one VEX speaks of.
        assert_eq!(found, [(true, &[0][..]), (false, &[1][..])]);
    }

    #[test]
    fn a_segment_can_be_stopped_between_images() {
        let failure = evaluate_segment(description().as_bytes(), |done, _| done < 1);
        assert_eq!(
            failure.expect_err("stopped").detail,
            "stopped after 1 of 2 images"
        );
    }

    #[test]
    fn a_segment_that_cannot_be_used_is_not_tried_again() {
        for bad in ["{", &description().replace("[0,1]", "[7]")] {
            let failure = evaluate_segment(bad.as_bytes(), |_, _| true).expect_err("refused");
            assert_eq!(failure.class, FailureClass::Schema, "{failure}");
        }
    }
}
