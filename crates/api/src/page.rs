//! Lists: bounded pages, and a token that says where the next one starts.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jobengine_domain::defaults::{PAGE, PAGE_MAX};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::problem::{Code, Problem};

/// Longest continuation token, in characters: package names and document ids stand in some.
pub(crate) const TOKEN_MAX: usize = 3_072;

/// The inside of a continuation token: its version, which list in which order, the last row's key.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inside<K> {
    v: u8,
    by: String,
    k: K,
}

/// Writes the token behind which the page after `key` starts. `by` names the list and its order.
pub(crate) fn continuation<K: Serialize>(by: &str, key: &K) -> String {
    let inside = Inside {
        v: 1,
        by: by.to_owned(),
        k: key,
    };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&inside).expect("a key is plain JSON"))
}

/// Reads the key out of a token of the list `by`.
///
/// # Errors
/// `PAGE_TOKEN_INVALID` for what is not a token of this list.
pub(crate) fn resume<K: DeserializeOwned>(
    by: &str,
    token: Option<&str>,
) -> Result<Option<K>, Problem> {
    let Some(token) = token else { return Ok(None) };
    let inside = Some(token)
        .filter(|token| token.len() <= TOKEN_MAX)
        .and_then(|token| URL_SAFE_NO_PAD.decode(token).ok())
        .and_then(|json| serde_json::from_slice::<Inside<K>>(&json).ok())
        .filter(|inside| inside.v == 1 && inside.by == by);
    match inside {
        Some(inside) => Ok(Some(inside.k)),
        None => Err(Problem::new(
            Code::PageTokenInvalid,
            "start again without continuationToken",
        )),
    }
}

/// How many items a page holds.
///
/// # Errors
/// `PARAMETER_INVALID` outside of 1 to [`PAGE_MAX`].
pub(crate) fn page_limit(limit: Option<u32>) -> Result<u32, Problem> {
    match limit {
        None => Ok(PAGE),
        Some(limit) if (1..=PAGE_MAX).contains(&limit) => Ok(limit),
        Some(_) => Err(Problem::new(
            Code::ParameterInvalid,
            format!("limit is 1 to {PAGE_MAX}"),
        )),
    }
}

/// The token after a page: only a full page can have a next one.
pub(crate) fn after_page<T, K: Serialize>(
    by: &str,
    items: &[T],
    limit: u32,
    key: impl FnOnce(&T) -> K,
) -> Option<String> {
    let full = items.len() >= limit as usize;
    items
        .last()
        .filter(|_| full)
        .map(|last| continuation(by, &key(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_back_to_its_key_and_to_no_other_list() {
        let token = continuation("jobs", &"7");
        assert_eq!(
            resume::<String>("jobs", Some(&token)).unwrap().unwrap(),
            "7"
        );
        assert_eq!(resume::<String>("jobs", None).unwrap(), None);
        for (by, token) in [
            ("runs", token.as_str()),
            ("jobs", "!"),
            ("jobs", "e30"),
            ("jobs", ""),
        ] {
            let problem = resume::<String>(by, Some(token)).unwrap_err();
            assert_eq!(problem.code(), Code::PageTokenInvalid);
        }
        assert!(resume::<u64>("jobs", Some(&token)).is_err());
        let long = continuation("jobs", &"7".repeat(3_000));
        assert!(resume::<String>("jobs", Some(&long)).is_err());
    }

    #[test]
    fn pages_are_bounded() {
        assert_eq!(page_limit(None).unwrap(), PAGE);
        assert!(page_limit(Some(0)).is_err());
        assert!(page_limit(Some(PAGE_MAX + 1)).is_err());
        assert_eq!(after_page("x", &[1, 2], 3, |last| *last), None);
        assert!(after_page("x", &[1, 2], 2, |last| *last).is_some());
    }
}
