//! What both formats have in common: components gathered by purl.

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
}
