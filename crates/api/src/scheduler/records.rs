//! The advisories of an upload: each id once, and what was wrong with the others.

use std::collections::{BTreeMap, BTreeSet};

use jobengine_impact::advisory::Advisory;
use jobengine_impact::advisory::osv::{self, ADVISORY_MAX_BYTES};
use jobengine_impact::document::{DocumentCode, DocumentError, records};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::bounds::{advisory_kept, records_within};
use crate::problem::Problem;

/// Bytes of one upload.
pub(super) const UPLOAD_MAX_BYTES: usize = 64 * 1024 * 1024;
/// Problems that are listed: whoever has more of them looks at the first thousand first.
const PROBLEMS_MAX: usize = 1_000;
/// A record whose id comes again: no reason to refuse anything.
const DUPLICATE: &str = "ADVISORY_DUPLICATE";

/// What is wrong with a record of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct IntakeProblem {
    /// The document's code (`ADVISORY_RANGE_MISSING`), `ADVISORY_DUPLICATE` or `SNAPSHOT_INCOMPLETE`.
    #[schema(example = "ADVISORY_RANGE_MISSING")]
    pub code: &'static str,
    /// Where in the upload.
    #[schema(example = "line 12: affected[0].ranges")]
    pub place: String,
    /// What, for people.
    pub detail: String,
}

/// The advisories of an upload.
#[derive(Debug, Default)]
pub(super) struct Received {
    /// Records in the upload, bad ones and repeated ones included.
    pub count: usize,
    /// The good ones, each id once.
    pub advisories: Vec<Advisory>,
    /// What is wrong with others, in their order.
    pub problems: Vec<IntakeProblem>,
    /// The first refusal.
    pub refusal: Option<DocumentError>,
    /// Ids of refused records: what stood under them is not gone.
    pub refused: BTreeSet<String>,
    /// Whether a refused record has an id that cannot be read: what is gone cannot be told.
    pub nameless: bool,
}

/// Reads an upload: one OSV record, an array, or JSON Lines. A bad record is refused and listed.
///
/// # Errors
/// [`DocumentError`] when there is no good record but a bad one, or when the upload was cut.
pub(super) fn read(bytes: &[u8]) -> Result<Received, DocumentError> {
    records_within(bytes)?;
    let mut received = Received::default();
    let mut places: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut errors: BTreeMap<usize, DocumentError> = BTreeMap::new();
    for (number, record) in (1..).zip(osv::read_all(bytes)) {
        received.count = number;
        let advisory = match record.and_then(advisory_kept) {
            Ok(advisory) => advisory,
            Err(error) => {
                received.note(
                    error.code.as_str(),
                    error.place.clone(),
                    error.detail.clone(),
                );
                errors.insert(number, error);
                continue;
            }
        };
        let fresh = (number, received.advisories.len());
        match places.get_mut(&advisory.id) {
            None => {
                places.insert(advisory.id.clone(), fresh);
                received.advisories.push(advisory);
            }
            Some((earlier, at)) => {
                let place = format!("record {number}");
                let detail = format!(
                    "{} is record {earlier} too; the last one counts",
                    advisory.id
                );
                received.advisories[*at] = advisory;
                *earlier = number;
                received.note(DUPLICATE, place, detail);
            }
        }
    }
    if let Some(last) = errors
        .get(&received.count)
        .filter(|last| is_cut(bytes, last))
    {
        return Err(last.clone());
    }
    if received.advisories.is_empty()
        && let Some((_, first)) = errors.pop_first()
    {
        return Err(first);
    }
    received.name(bytes, &errors);
    received.refusal = errors.into_values().next();
    Ok(received)
}

/// Whether the upload ends inside its last record, which was refused with this error.
fn is_cut(bytes: &[u8], last: &DocumentError) -> bool {
    let line = bytes.trim_ascii_end().rsplit(|byte| *byte == b'\n').next();
    let in_a_letter = || {
        let error = line.and_then(|line| std::str::from_utf8(line).err());
        error.is_some_and(|error| error.error_len().is_none())
    };
    last.code == DocumentCode::Truncated || last.code == DocumentCode::Utf8Invalid && in_a_letter()
}

impl Received {
    fn note(&mut self, code: &'static str, place: String, detail: String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(IntakeProblem {
                code,
                place,
                detail,
            });
        }
    }

    /// The advisories, when no record was refused.
    ///
    /// # Errors
    /// The problem of the first refused record, with the places of all that are listed.
    pub(super) fn whole(self) -> Result<Vec<Advisory>, Problem> {
        let Some(first) = self.refusal else {
            return Ok(self.advisories);
        };
        let refused = self.problems.into_iter().filter(|it| it.code != DUPLICATE);
        let further = refused.skip(1);
        Err(further.fold(first.into(), |problem: Problem, it| {
            problem.with_error(it.place, it.code, it.detail)
        }))
    }

    /// Says that nothing is held to be gone, although the upload is all there is.
    pub(super) fn incomplete(&mut self) {
        let detail = "a refused record has no id that can be read, so nothing was held to be gone";
        let problem = IntakeProblem {
            code: "SNAPSHOT_INCOMPLETE",
            place: "the upload".to_owned(),
            detail: detail.to_owned(),
        };
        self.problems.insert(0, problem);
    }

    /// Looks for the ids of refused records.
    fn name(&mut self, bytes: &[u8], errors: &BTreeMap<usize, DocumentError>) {
        if errors.is_empty() {
            return;
        }
        let numbered = (1..).zip(records(bytes, ADVISORY_MAX_BYTES));
        for (_, record) in numbered.filter(|(number, _)| errors.contains_key(number)) {
            let named = record.and_then(|it| it.parse::<Named>(DocumentCode::AdvisoryFieldInvalid));
            match named {
                Ok(Named { id }) => self.refused.extend(id),
                Err(_) => self.nameless = true,
            }
        }
    }
}

/// The one field of a refused record that is of interest.
#[derive(Deserialize)]
struct Named {
    id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"id":"GHSA-1","summary":"a"}"#;
    const NO_RANGES: &str =
        r#"{"id":"GHSA-2","affected":[{"package":{"ecosystem":"npm","name":"a"}}]}"#;

    fn codes(received: &Received) -> Vec<String> {
        let problems = received.problems.iter();
        problems
            .map(|problem| format!("{} {}", problem.code, problem.place))
            .collect()
    }

    fn refused(upload: &str) -> &'static str {
        read(upload.as_bytes()).unwrap_err().code.as_str()
    }

    #[test]
    fn a_bad_record_is_listed_and_the_others_are_kept() {
        let upload = format!("{GOOD}\n{NO_RANGES}\n{{\"affected\":[]}}\n{{\"id\":\"GHSA-3\"}}\n");
        let received = read(upload.as_bytes()).unwrap();
        assert_eq!((received.count, received.advisories.len()), (4, 2));
        assert_eq!(
            codes(&received),
            [
                "ADVISORY_RANGE_MISSING line 2: affected[0].ranges",
                "ADVISORY_ID_MISSING line 3: id",
            ]
        );
        assert_eq!(received.refused, BTreeSet::from(["GHSA-2".to_owned()]));
        assert!(!received.nameless);
    }

    #[test]
    fn the_last_of_equal_ids_counts() {
        let upload =
            format!("[{GOOD},{{\"id\":\"GHSA-3\"}},{{\"id\":\"GHSA-1\",\"aliases\":[\"CVE-1\"]}}]");
        let received = read(upload.as_bytes()).unwrap();
        let ids: Vec<_> = received
            .advisories
            .iter()
            .map(|it| (it.id.as_str(), it.aliases.len()))
            .collect();
        assert_eq!(ids, [("GHSA-1", 1), ("GHSA-3", 0)]);
        assert_eq!(codes(&received), ["ADVISORY_DUPLICATE record 3"]);
    }

    #[test]
    fn a_record_without_a_readable_id_is_noticed() {
        for bad in ["{\"id\":7}", "{\"id\":\"GHSA-7\",}", "{\"id\":\"\\u0000\"}"] {
            let received = read(format!("{GOOD}\n{bad}\n{GOOD}").as_bytes()).unwrap();
            assert!(received.nameless, "{bad}");
        }
    }

    #[test]
    fn a_cut_upload_is_refused_as_a_whole() {
        assert_eq!(refused(""), "DOCUMENT_TRUNCATED");
        assert_eq!(
            refused(&format!("{GOOD}\n{GOOD}\n{{\"id\":\"GH")),
            "DOCUMENT_TRUNCATED"
        );
        assert_eq!(refused(&format!("[{GOOD},")), "DOCUMENT_TRUNCATED");
        let in_a_letter = [GOOD.as_bytes(), b"\n", GOOD.as_bytes(), b"\n{\"id\":\"\xc3"].concat();
        assert_eq!(
            read(&in_a_letter).unwrap_err().code,
            DocumentCode::Utf8Invalid
        );
        assert_eq!(refused(NO_RANGES), "ADVISORY_RANGE_MISSING");
        assert_eq!(
            refused(&format!("[{{}},{NO_RANGES}]")),
            "ADVISORY_ID_MISSING"
        );
        let received = read(format!("{{}}\n{{\"id\":\n{GOOD}").as_bytes()).unwrap();
        assert_eq!(
            codes(&received),
            [
                "ADVISORY_ID_MISSING line 1: id",
                "DOCUMENT_TRUNCATED line 2 column 6"
            ]
        );
    }

    #[test]
    fn an_empty_list_is_a_whole_upload() {
        let received = read(b" [] ").unwrap();
        assert_eq!((received.count, received.advisories.len()), (0, 0));
    }

    #[test]
    fn not_every_problem_is_listed() {
        let upload = format!("{GOOD}\n{}{GOOD}", "{}\n".repeat(PROBLEMS_MAX + 5));
        assert_eq!(
            read(upload.as_bytes()).unwrap().problems.len(),
            PROBLEMS_MAX
        );
    }
}
