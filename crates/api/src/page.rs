//! Lists: bounded pages, and a token that says where the next one starts.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jobengine_domain::defaults::{PAGE, PAGE_MAX};
use jobengine_domain::id::TenantId;
use jobengine_store::secret::{InstallationSecret, Purpose};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::problem::{Code, Problem};

/// Longest continuation token, in characters: package names and document ids stand in some.
pub(crate) const TOKEN_MAX: usize = 3_072;
/// The mark in front of a token: what only this installation can make.
const MARK_BYTES: usize = 16;

/// The inside of a continuation token: its version, which list in which order, the last row's key.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inside<K> {
    v: u8,
    by: String,
    k: K,
}

/// Makes and reads the tokens of one tenant: no other tenant can use them, and nobody can make one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pages<'a> {
    pub secret: &'a InstallationSecret,
    pub tenant: TenantId,
}

impl Pages<'_> {
    /// Writes the token behind which the page after `key` starts. `by` names the list and its order.
    pub(crate) fn continuation<K: Serialize>(self, by: &str, key: &K) -> String {
        let inside = Inside {
            v: 1,
            by: by.to_owned(),
            k: key,
        };
        let json = serde_json::to_vec(&inside).expect("a key is plain JSON");
        let mut token = self.mark(&json).to_vec();
        token.extend_from_slice(&json);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// Reads the key out of a token of the list `by`.
    ///
    /// # Errors
    /// `PAGE_TOKEN_INVALID` for what is not a token of this list and tenant.
    pub(crate) fn resume<K: DeserializeOwned>(
        self,
        by: &str,
        token: Option<&str>,
    ) -> Result<Option<K>, Problem> {
        let Some(token) = token else { return Ok(None) };
        let inside = Some(token)
            .filter(|token| token.len() <= TOKEN_MAX)
            .and_then(|token| URL_SAFE_NO_PAD.decode(token).ok())
            .and_then(|token| self.inside::<K>(&token))
            .filter(|inside| inside.v == 1 && inside.by == by);
        match inside {
            Some(inside) => Ok(Some(inside.k)),
            None => Err(Problem::new(
                Code::PageTokenInvalid,
                "start again without continuationToken",
            )),
        }
    }

    /// The token after a page: only a full page can have a next one.
    pub(crate) fn after_page<T, K: Serialize>(
        self,
        by: &str,
        items: &[T],
        limit: u32,
        key: impl FnOnce(&T) -> K,
    ) -> Option<String> {
        let full = items.len() >= limit as usize;
        items
            .last()
            .filter(|_| full)
            .map(|last| self.continuation(by, &key(last)))
    }

    fn inside<K: DeserializeOwned>(self, token: &[u8]) -> Option<Inside<K>> {
        let (mark, json) = token.split_at_checked(MARK_BYTES)?;
        let genuine = bool::from(subtle::ConstantTimeEq::ct_eq(mark, &self.mark(json)[..]));
        genuine.then(|| serde_json::from_slice(json).ok())?
    }

    fn mark(self, json: &[u8]) -> [u8; MARK_BYTES] {
        let whole = self
            .secret
            .mac(Purpose::Page, &[self.tenant.0.as_bytes(), json]);
        whole[..MARK_BYTES].try_into().expect("16 bytes of 32")
    }
}

/// Which page of a list that has no other parameters
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// Items on the page, 1 to 500; 100 unless said otherwise.
    limit: Option<u32>,
    /// Where the page before ended.
    continuation_token: Option<String>,
}

impl PageQuery {
    /// Reads which page of the list `by` is asked for.
    ///
    /// # Errors
    /// `PARAMETER_INVALID` for the limit, `PAGE_TOKEN_INVALID` for what is not a token of this list and tenant.
    pub(crate) fn of<'a, K: DeserializeOwned>(
        &self,
        pages: Pages<'a>,
        by: &'static str,
    ) -> Result<Page<'a, K>, Problem> {
        Ok(Page {
            limit: page_limit(self.limit)?,
            after: pages.resume(by, self.continuation_token.as_deref())?,
            pages,
            by,
        })
    }
}

/// A page of a list whose rows have keys `K`.
#[derive(Debug)]
pub(crate) struct Page<'a, K> {
    /// The key of the last row before it.
    pub after: Option<K>,
    /// Most rows on it.
    pub limit: u32,
    pages: Pages<'a>,
    by: &'static str,
}

impl<K: Serialize> Page<'_, K> {
    /// The token of the page behind these rows, which stand on this one.
    pub(crate) fn next<T>(&self, rows: &[T], key: impl FnOnce(&T) -> K) -> Option<String> {
        self.pages.after_page(self.by, rows, self.limit, key)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_back_to_its_key_and_to_no_other_list_or_tenant() {
        let (secret, tenant) = (InstallationSecret::draw(), TenantId(uuid::Uuid::nil()));
        let pages = Pages {
            secret: &secret,
            tenant,
        };
        let token = pages.continuation("jobs", &"7");
        assert_eq!(
            pages
                .resume::<String>("jobs", Some(&token))
                .unwrap()
                .unwrap(),
            "7"
        );
        assert_eq!(pages.resume::<String>("jobs", None).unwrap(), None);
        let made = URL_SAFE_NO_PAD.encode(br#"0123456789abcdef{"v":1,"by":"jobs","k":"7"}"#);
        for (by, token) in [
            ("runs", token.as_str()),
            ("jobs", "!"),
            ("jobs", "e30"),
            ("jobs", ""),
            ("jobs", made.as_str()),
        ] {
            let problem = pages.resume::<String>(by, Some(token)).unwrap_err();
            assert_eq!(problem.code(), Code::PageTokenInvalid);
        }
        assert!(pages.resume::<u64>("jobs", Some(&token)).is_err());
        let long = pages.continuation("jobs", &"7".repeat(3_000));
        assert!(pages.resume::<String>("jobs", Some(&long)).is_err());
        let tenant = TenantId(uuid::Uuid::max());
        let others = Pages {
            secret: &secret,
            tenant,
        };
        assert!(others.resume::<String>("jobs", Some(&token)).is_err());
    }

    #[test]
    fn pages_are_bounded() {
        assert_eq!(page_limit(None).unwrap(), PAGE);
        assert!(page_limit(Some(0)).is_err());
        assert!(page_limit(Some(PAGE_MAX + 1)).is_err());
        let secret = InstallationSecret::draw();
        let pages = Pages {
            secret: &secret,
            tenant: TenantId(uuid::Uuid::nil()),
        };
        assert_eq!(pages.after_page("x", &[1, 2], 3, |last| *last), None);
        assert!(pages.after_page("x", &[1, 2], 2, |last| *last).is_some());
    }
}
