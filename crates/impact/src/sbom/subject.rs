//! What a document describes: the image's digest and names, wherever tools put them.

use std::collections::BTreeSet;

/// Most names that are kept of an image; of more, the first by the alphabet.
const NAMES_MAX: usize = 50;
/// Bytes of a name.
const NAME_MAX_BYTES: usize = 1_000;
/// Longest tag (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests>).
const TAG_MAX_BYTES: usize = 128;
/// How a purl begins that names an image.
pub(super) const IMAGES: &str = "pkg:oci/";

/// What a document says of the image or application that it describes.
#[derive(Debug, Default)]
pub(super) struct Described<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) version: Option<&'a str>,
    pub(super) purls: Vec<&'a str>,
    /// More references of it.
    pub(super) references: Vec<String>,
}

impl Described<'_> {
    /// The digest that its version, a purl or its name carries.
    pub(super) fn digest(&self) -> Option<String> {
        let texts = self.version.iter().chain(&self.purls).chain(&self.name);
        texts.copied().find_map(digest_in)
    }

    /// Every name under which a VEX statement may speak of it: its name, with its version behind it where
    /// that can be a tag, further references, and purls of images.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        if let Some(name) = self.name.and_then(subject_name) {
            if let Some(tag) = self.version.filter(|version| is_tag(version))
                && !is_tagged(&name)
            {
                names.insert(format!("{name}:{tag}"));
            }
            names.insert(name);
        }
        names.extend(self.references.iter().filter_map(|it| subject_name(it)));
        let purls = self.purls.iter().filter(|purl| purl.starts_with(IMAGES));
        names.extend(purls.map(|purl| (*purl).to_owned()));
        names.retain(|name| name.len() <= NAME_MAX_BYTES && !name.chars().any(char::is_control));
        names.into_iter().take(NAMES_MAX).collect()
    }
}

/// A colon before the last slash belongs to a registry's port.
fn is_tagged(name: &str) -> bool {
    name.rsplit('/').next().is_some_and(|it| it.contains(':'))
}

fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= TAG_MAX_BYTES
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|byte| word(byte) || b".-".contains(&byte))
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

    #[test]
    fn an_image_has_every_name_that_its_document_gives_it() {
        let check = |name: &str, version: &str, purl: &str, expected: &[&str]| {
            let described = Described {
                name: Some(name),
                version: Some(version),
                purls: vec![purl],
                references: vec!["mirror.example/shop:1".to_owned()],
            };
            let mut names = described.names();
            assert!(names.remove("mirror.example/shop:1"));
            assert_eq!(
                names.iter().map(String::as_str).collect::<Vec<_>>(),
                expected
            );
        };
        let digest = format!("sha256:{}", "ab".repeat(32));
        check("acme/shop", "1.2", "", &["acme/shop", "acme/shop:1.2"]);
        check("acme/shop:1.2", &digest, "", &["acme/shop:1.2"]);
        check("acme/shop:1.2", "1.3", "", &["acme/shop:1.2"]);
        check(
            "localhost:5000/shop",
            "1",
            "",
            &["localhost:5000/shop", "localhost:5000/shop:1"],
        );
        check("acme/shop", "no tag", "pkg:npm/shop@1", &["acme/shop"]);
        let purl = "pkg:oci/shop@sha256:aa?repository_url=r.example/acme&tag=1.2";
        check(&digest, "", purl, &[purl]);
        check("acme/shop\u{0}", "", "", &[]);
        check(&"x".repeat(NAME_MAX_BYTES + 1), "", "", &[]);
        let described = Described {
            references: (0..200).map(|number| format!("shop:{number}")).collect(),
            ..Described::default()
        };
        assert_eq!(described.names().len(), NAMES_MAX);
    }
}
