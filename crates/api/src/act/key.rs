//! The caller's name for a request, and what was asked under it.

use std::sync::{Arc, OnceLock};

use axum::http::HeaderMap;
use jobengine_domain::digest::Digest;
use jobengine_domain::id::ProjectId;

use crate::problem::{Code, Problem};

/// The header that names a request (draft-ietf-httpapi-idempotency-key-header).
const HEADER: &str = "idempotency-key";
/// Longest key.
const KEY_MAX: usize = 128;

/// The digest of a request's body, left behind by whoever reads it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fingerprint(Arc<OnceLock<Digest>>);

impl Fingerprint {
    /// Notes the body; only the first one counts.
    pub(crate) fn note(&self, body: &[u8]) {
        let _ = self.0.set(Digest::of(body));
    }

    /// The digest of the whole request: its line and its body.
    pub(super) fn request(&self, line: &str) -> Digest {
        let empty = Digest::of(b"");
        let body = self.0.get().unwrap_or(&empty);
        Digest::of(format!("{line}\n{body}").as_bytes())
    }
}

/// What a key is remembered by. A principal that is bound to one project and later to another must not be
/// given the answers of the first: their keys never meet.
pub(super) fn key_hash(key: &str, project: Option<ProjectId>) -> Digest {
    match project {
        None => Digest::of(key.as_bytes()),
        // A key has no blank in it.
        Some(project) => Digest::of(format!("{project} {key}").as_bytes()),
    }
}

/// Reads the key out of a request's head.
///
/// # Errors
/// `IDEMPOTENCY_KEY_INVALID`, and `IDEMPOTENCY_KEY_MISSING` where one is `needed`.
pub(crate) fn key(headers: &HeaderMap, needed: bool) -> Result<Option<String>, Problem> {
    let mut given = headers.get_all(HEADER).into_iter();
    let Some(value) = given.next() else {
        if needed {
            return Err(Problem::new(
                Code::IdempotencyKeyMissing,
                "send Idempotency-Key, a fresh UUID for each request and the same one when you repeat it",
            ));
        }
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    let sound = (1..=KEY_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if !sound || given.next().is_some() {
        return Err(Problem::new(
            Code::IdempotencyKeyInvalid,
            format!("one Idempotency-Key of 1 to {KEY_MAX} visible ASCII characters is taken"),
        ));
    }
    Ok(Some(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str], needed: bool) -> Result<Option<String>, Code> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, value.parse().unwrap());
        }
        key(&headers, needed).map_err(|problem| problem.code())
    }

    #[test]
    fn a_key_is_one_visible_word() {
        assert_eq!(read(&[], false), Ok(None));
        assert_eq!(read(&[], true), Err(Code::IdempotencyKeyMissing));
        assert_eq!(read(&["k-1"], true), Ok(Some("k-1".to_owned())));
        for bad in ["", "two words", &"k".repeat(129)] {
            assert_eq!(
                read(&[bad], false),
                Err(Code::IdempotencyKeyInvalid),
                "{bad}"
            );
        }
        assert_eq!(read(&["a", "a"], false), Err(Code::IdempotencyKeyInvalid));
    }

    #[test]
    fn keys_of_projects_never_meet() {
        let project = |n| Some(ProjectId(uuid::Uuid::from_u128(n)));
        assert_eq!(key_hash("k", project(1)), key_hash("k", project(1)));
        assert_ne!(key_hash("k", project(1)), key_hash("k", project(2)));
        assert_ne!(key_hash("k", project(1)), key_hash("k", None));
    }

    #[test]
    fn line_and_body_make_the_request() {
        let (one, two) = (Fingerprint::default(), Fingerprint::default());
        one.note(b"{}");
        one.note(b"ignored");
        assert_eq!(one.request("POST /a"), one.clone().request("POST /a"));
        assert_ne!(one.request("POST /a"), one.request("POST /b"));
        assert_ne!(one.request("POST /a"), two.request("POST /a"));
    }
}
