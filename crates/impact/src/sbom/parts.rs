//! What both formats have in common: components gathered by purl, and digests found in names.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::source::Stated;
use super::{Component, Unmatched};
use crate::document::{Document, DocumentCode, DocumentError};

/// The components of one document, each purl once, in order of first occurrence.
pub(super) struct Parts<'a, 'd> {
    document: &'a Document<'d>,
    /// Where each purl stands in `components`, and what its entries state of its source package.
    seen: BTreeMap<String, (usize, Option<Stated>)>,
    components: Vec<Component>,
}

impl<'a, 'd> Parts<'a, 'd> {
    pub(super) fn new(document: &'a Document<'d>) -> Self {
        Self {
            document,
            seen: BTreeMap::new(),
            components: Vec::new(),
        }
    }

    /// Adds the component that stands at `path`, of which its entry states this source package. Of
    /// several entries with one purl, the best statement counts, wherever it stands.
    ///
    /// # Errors
    /// [`DocumentCode::PurlInvalid`] on a broken percent escape.
    pub(super) fn add(
        &mut self,
        purl: &str,
        stated: Option<Stated>,
        path: impl Display,
    ) -> Result<(), DocumentError> {
        if purl.is_empty() {
            return Ok(());
        }
        if let Some((at, known)) = self.seen.get_mut(purl) {
            let better = |stated: &Stated| known.as_ref().is_none_or(|it| stated.precedes(it));
            if let Some(stated) = stated.filter(better) {
                self.components[*at] = component(purl, Some(&stated));
                *known = Some(stated);
            }
            return Ok(());
        }
        if purl.starts_with("pkg:")
            && let Some(escape) = broken_escape(purl)
        {
            return Err(self.document.refuse(
                DocumentCode::PurlInvalid,
                path,
                format_args!("`{escape}` in `{purl}` is not a percent escape"),
            ));
        }
        self.components.push(component(purl, stated.as_ref()));
        let place = (self.components.len() - 1, stated);
        self.seen.insert(purl.to_owned(), place);
        Ok(())
    }

    pub(super) fn finish(self) -> Vec<Component> {
        self.components
    }
}

fn component(purl: &str, stated: Option<&Stated>) -> Component {
    if purl.contains("%00") {
        let reason = "it holds a NUL character".to_owned();
        return Component {
            purl: purl.to_owned(),
            identity: Err(Unmatched::PurlInvalid(reason)),
            source_assumed: false,
        };
    }
    Component::new(purl, stated.map(Stated::source))
}

/// The first `%` that is not followed by two hexadecimal digits, with what follows instead.
fn broken_escape(purl: &str) -> Option<&str> {
    purl.match_indices('%')
        .map(|(at, _)| &purl[at..])
        .find_map(|rest| {
            let digits = rest.as_bytes().get(1..3);
            if digits.is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit)) {
                return None;
            }
            let end = rest.char_indices().nth(3).map_or(rest.len(), |(at, _)| at);
            Some(&rest[..end])
        })
}

/// The digest that a name, a version or a purl carries: `sha256:` (or `sha256%3A`) and 64 digits.
pub(super) fn digest_in(text: &str) -> Option<String> {
    ["sha256:", "sha256%3A", "sha256%3a"]
        .into_iter()
        .find_map(|mark| {
            let digits = text.split_once(mark)?.1.get(..64)?;
            digits
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit())
                .then(|| format!("sha256:{}", digits.to_ascii_lowercase()))
        })
}

/// A subject's name without the digest behind it, which is told apart; nothing if that is all.
pub(super) fn subject_name(name: &str) -> Option<String> {
    let bare = name
        .split_once("@sha256:")
        .map_or(name, |(bare, _)| bare)
        .trim();
    (!bare.is_empty() && !bare.starts_with("sha256:")).then(|| bare.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_whole_or_broken() {
        let check = |purl, expected| assert_eq!(broken_escape(purl), expected, "{purl}");
        check("pkg:npm/%40angular/core@1%2B2", None);
        check("pkg:npm/%zzangular", Some("%zz"));
        check("pkg:npm/a@1%4", Some("%4"));
        check("pkg:npm/a@1%", Some("%"));
        check("pkg:npm/a%é@1", Some("%é@"));
    }

    #[test]
    fn a_digest_is_found_wherever_tools_put_it() {
        let digits = "ab".repeat(32);
        let expected = Some(format!("sha256:{digits}"));
        assert_eq!(
            digest_in(&format!("library/bash@sha256:{digits}")),
            expected
        );
        assert_eq!(
            digest_in(&format!(
                "pkg:oci/x@sha256%3A{}?arch=a",
                digits.to_uppercase()
            )),
            expected
        );
        assert_eq!(digest_in("sha256:abcd"), None);
        assert_eq!(
            subject_name(&format!("a/b@sha256:{digits}")),
            Some("a/b".to_owned())
        );
        assert_eq!(subject_name(&format!("sha256:{digits}")), None);
    }
}
