//! The advisories of an upload: each id once, and what was wrong with the others.

use std::collections::BTreeMap;

use jobengine_impact::advisory::Advisory;
use jobengine_impact::advisory::osv;
use jobengine_impact::document::{DocumentCode, DocumentError};
use jobengine_store::{NewRefusal, RefusalEffect};
use serde::Serialize;
use utoipa::ToSchema;

use super::bounds::{advisory_kept, records_within};
use super::refusal::refusal;
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
    /// What it means: `refused` (nothing of the record counts), `partial` (what can be read counts) or `none`.
    #[schema(example = "refused")]
    pub effect: &'static str,
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
    /// Records that cannot be read, in whole or in part, by id or digest; each once.
    pub unread: BTreeMap<String, NewRefusal>,
    /// Whether a refused record has an id that cannot be read: what is gone cannot be told.
    pub nameless: bool,
}

/// Reads an upload: one OSV record, an array, or JSON Lines. A bad record is refused and listed; of one that can
/// be read in part, what can be read counts and the rest is listed.
///
/// # Errors
/// [`DocumentError`] when the upload was cut or holds too many records.
pub(super) fn read(bytes: &[u8]) -> Result<Received, DocumentError> {
    records_within(bytes)?;
    let mut received = Received::default();
    // Of each id: the number of its record, and its place among the good ones.
    let mut places: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut last = None;
    for (number, record) in (1..).zip(osv::pieces(bytes)) {
        received.count = number;
        let (id, warnings, bytes) = (record.id(), record.warnings(), record.bytes);
        let advisory = match record.advisory.and_then(advisory_kept) {
            Ok(advisory) => advisory,
            Err(error) => {
                let is_given = id.as_ref().is_some_and(|id| places.contains_key(id));
                received.refuse(bytes, id, is_given, &error);
                last = Some((number, error));
                continue;
            }
        };
        received.count_in(bytes, &advisory, warnings);
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
                received.note(DUPLICATE, "none", place, detail);
            }
        }
    }
    match last {
        Some((number, error)) if number == received.count && is_cut(bytes, &error) => Err(error),
        _ => Ok(received),
    }
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
    fn note(&mut self, code: &'static str, effect: &'static str, place: String, detail: String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(IntakeProblem {
                code,
                effect,
                place,
                detail,
            });
        }
    }

    /// Nothing of this record counts. When its id `is_given` by a good record of the upload, that one does.
    fn refuse(&mut self, bytes: &[u8], id: Option<String>, is_given: bool, error: &DocumentError) {
        let (effect, code) = (RefusalEffect::Refused, error.code.as_str());
        self.note(
            code,
            effect.as_str(),
            error.place.clone(),
            error.detail.clone(),
        );
        self.refusal.get_or_insert_with(|| error.clone());
        self.nameless |= id.is_none();
        if !is_given {
            let refusal = refusal(bytes, id, effect, error, 1);
            self.unread.insert(refusal.record.clone(), refusal);
        }
    }

    /// This record counts, but for the parts that there are warnings about.
    fn count_in(&mut self, bytes: &[u8], advisory: &Advisory, warnings: Vec<DocumentError>) {
        let effect = RefusalEffect::Partial;
        self.unread.remove(&advisory.id);
        if let Some(first) = warnings.first() {
            let listed = u32::try_from(advisory.unread.len()).unwrap_or(u32::MAX);
            let problems = listed.saturating_add(advisory.unread_more);
            let refusal = refusal(bytes, Some(advisory.id.clone()), effect, first, problems);
            self.unread.insert(refusal.record.clone(), refusal);
        }
        for warning in warnings {
            let code = warning.code.as_str();
            self.note(code, effect.as_str(), warning.place, warning.detail);
        }
    }

    /// How many records are read with this effect, each id once.
    pub(super) fn count_of(&self, effect: RefusalEffect) -> usize {
        let unread = self.unread.values();
        unread.filter(|record| record.effect == effect).count()
    }

    /// Ids of refused records: what stood under them is not gone.
    pub(super) fn refused_ids(&self) -> Vec<&str> {
        self.unread
            .values()
            .filter(|record| record.named && record.effect == RefusalEffect::Refused)
            .map(|record| record.record.as_str())
            .collect()
    }

    /// The refusal of the first record, when there is no good one beside it.
    pub(super) fn nothing_good(&self) -> Option<&DocumentError> {
        self.refusal.as_ref().filter(|_| self.advisories.is_empty())
    }

    /// The advisories, when no record was refused.
    ///
    /// # Errors
    /// The problem of the first refused record, with the places of all that are listed.
    pub(super) fn whole(self) -> Result<Vec<Advisory>, Problem> {
        let Some(first) = self.refusal else {
            return Ok(self.advisories);
        };
        let refused = self.problems.into_iter();
        let refused = refused.filter(|it| it.effect == RefusalEffect::Refused.as_str());
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
            effect: "none",
            place: "the upload".to_owned(),
            detail: detail.to_owned(),
        };
        self.problems.insert(0, problem);
    }
}

#[cfg(test)]
mod tests {
    use jobengine_domain::digest::Digest;

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

    /// The code that an upload is refused with as a whole.
    fn refused(upload: &str) -> &'static str {
        let code = |error: &DocumentError| error.code.as_str();
        match read(upload.as_bytes()) {
            Err(error) => code(&error),
            Ok(received) => code(received.nothing_good().unwrap()),
        }
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
        assert_eq!(received.refused_ids(), ["GHSA-2"]);
        assert!(received.nameless, "the third has no id");
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

    #[test]
    fn what_cannot_be_read_is_kept_by_id_or_digest() {
        let partial = r#"{"id":"GHSA-4","aliases":[7,"CVE-1",8]}"#;
        let upload = format!("{NO_RANGES}\n{partial}\n{{\"id\":7}}\n{GOOD}");
        let received = read(upload.as_bytes()).unwrap();
        let told: Vec<_> = received
            .unread
            .values()
            .map(|it| {
                (
                    it.record.as_str(),
                    it.named,
                    it.effect.as_str(),
                    it.problems,
                )
            })
            .collect();
        let nameless = Digest::of(br#"{"id":7}"#).to_string();
        assert_eq!(
            told,
            [
                ("GHSA-2", true, "refused", 1),
                ("GHSA-4", true, "partial", 2),
                (&nameless, false, "refused", 1),
            ]
        );
        assert_eq!(received.advisories.len(), 2);
        let effects: Vec<_> = received.problems.iter().map(|it| it.effect).collect();
        assert_eq!(effects, ["refused", "partial", "partial", "refused"]);
    }

    #[test]
    fn of_records_with_one_id_the_good_one_counts_and_of_good_ones_the_last() {
        let check = |records: &[&str], expected: &[&str]| {
            let received = read(records.join("\n").as_bytes()).unwrap();
            let told: Vec<_> = received
                .unread
                .values()
                .map(|it| it.effect.as_str())
                .collect();
            assert_eq!(told, expected, "{records:?}");
            assert_eq!(received.refused_ids(), [""; 0]);
        };
        let good = r#"{"id":"GHSA-2"}"#;
        let partial = r#"{"id":"GHSA-2","aliases":[7]}"#;
        check(&[NO_RANGES, good], &[]);
        check(&[good, NO_RANGES], &[]);
        check(&[partial, good], &[]);
        check(&[good, partial], &["partial"]);
        check(&[partial, NO_RANGES], &["partial"]);
    }
}
