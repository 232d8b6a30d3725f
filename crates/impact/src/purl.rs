//! Package URLs: what a component of an SBOM is called.
//!
//! Own parser: the `packageurl` crate lower-cases Go namespaces and npm names, which the ecosystems
//! themselves tell apart, lets broken percent escapes pass, and cannot say where a purl is broken.

mod identify;

use std::collections::BTreeMap;
use std::fmt;

pub use self::identify::{Identified, SourcePackage, identify};
pub(crate) use self::identify::{pep_503, with_epoch};

/// Longest purl that is read, in bytes.
pub const PURL_BYTES_MAX: usize = 4096;

/// A purl taken apart and percent-decoded, with its letters' case as it was.
///
/// Only the type and the keys of the qualifiers are brought to lower case; what a name's normal
/// form is depends on the type (see [`identify`]).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Purl {
    /// `npm`, `deb`, …
    pub kind: String,
    /// Segments joined by `/`; `None` when there are none.
    pub namespace: Option<String>,
    /// Never empty.
    pub name: String,
    /// `None` when missing or empty.
    pub version: Option<String>,
    /// Without those that have an empty value.
    pub qualifiers: BTreeMap<String, String>,
    /// Segments joined by `/`; `None` when there are none.
    pub subpath: Option<String>,
}

/// Why a text is not a purl.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("byte {at}: {why}")]
pub struct PurlError {
    /// Where in the text, in bytes.
    pub at: usize,
    /// What is wrong there.
    pub why: &'static str,
}

impl Purl {
    /// Takes a purl apart (source: the purl specification, "How to parse a purl string").
    ///
    /// More lenient than the specification where real documents are: any sign may stand unencoded
    /// in a version, an npm scope may begin with a bare `@`.
    ///
    /// # Errors
    /// [`PurlError`] says what is wrong and where. Input never panics.
    pub fn parse(text: &str) -> Result<Self, PurlError> {
        if text.len() > PURL_BYTES_MAX {
            return Err(PurlError {
                at: PURL_BYTES_MAX,
                why: "the purl is too long",
            });
        }
        let whole = Part { text, at: 0 };
        let (rest, subpath) = whole.cut_last('#');
        let (rest, qualifiers) = rest.cut_first('?');
        let (kind, path) = kind(rest)?;
        let (path, version) = match version_at(path.text) {
            Some(at) => (path.slice(0, at), Some(path.slice(at + 1, path.text.len()))),
            None => (path, None),
        };
        let path = path.trim_leading_slashes();
        let (namespace, name) = match path.text.rfind('/') {
            Some(at) => (Some(path.slice(0, at)), path.slice(at + 1, path.text.len())),
            None => (None, path),
        };
        if name.text.is_empty() {
            return Err(name.error("the name is missing"));
        }
        Ok(Self {
            kind,
            namespace: namespace
                .map(|part| segments(part, |_| true))
                .transpose()?
                .flatten(),
            name: decode(name)?,
            version: version
                .map(decode)
                .transpose()?
                .filter(|version| !version.is_empty()),
            qualifiers: qualifiers
                .map(read_qualifiers)
                .transpose()?
                .unwrap_or_default(),
            // Dots alone would climb out of the package.
            subpath: subpath
                .map(|part| segments(part, |segment| segment != "." && segment != ".."))
                .transpose()?
                .flatten(),
        })
    }
}

/// A piece of the purl that knows where it stands.
#[derive(Clone, Copy)]
struct Part<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Part<'a> {
    fn slice(self, from: usize, to: usize) -> Self {
        Self {
            text: &self.text[from..to],
            at: self.at + from,
        }
    }

    fn error(self, why: &'static str) -> PurlError {
        PurlError { at: self.at, why }
    }

    fn cut_first(self, sign: char) -> (Self, Option<Self>) {
        self.cut(self.text.find(sign))
    }

    fn cut_last(self, sign: char) -> (Self, Option<Self>) {
        self.cut(self.text.rfind(sign))
    }

    /// Cuts at a sign of one byte, which belongs to neither half.
    fn cut(self, at: Option<usize>) -> (Self, Option<Self>) {
        match at {
            Some(at) => (self.slice(0, at), Some(self.slice(at + 1, self.text.len()))),
            None => (self, None),
        }
    }

    fn trim_leading_slashes(self) -> Self {
        let start = self.text.len() - self.text.trim_start_matches('/').len();
        self.slice(start, self.text.len())
    }

    fn split(self, sign: char) -> impl Iterator<Item = Part<'a>> {
        let mut at = self.at;
        self.text.split(sign).map(move |text| {
            let part = Part { text, at };
            at += text.len() + sign.len_utf8();
            part
        })
    }
}

/// Cuts off `pkg:` and the type.
fn kind(rest: Part<'_>) -> Result<(String, Part<'_>), PurlError> {
    let (scheme, rest) = rest.cut_first(':');
    let Some(rest) = rest.filter(|_| scheme.text.eq_ignore_ascii_case("pkg")) else {
        return Err(scheme.error("it does not begin with `pkg:`"));
    };
    let (kind, path) = rest.trim_leading_slashes().cut_first('/');
    let letter_first = kind.text.starts_with(|c: char| c.is_ascii_alphabetic());
    if !letter_first
        || kind
            .text
            .contains(|c: char| !c.is_ascii_alphanumeric() && !".-+".contains(c))
    {
        return Err(kind.error("the type is not a word of letters, digits, `.`, `-` and `+`"));
    }
    let path = path.ok_or(kind.error("the name is missing"))?;
    Ok((kind.text.to_ascii_lowercase(), path))
}

/// Where the version's `@` stands: the first one that does not open a scope (`@angular/core`).
fn version_at(path: &str) -> Option<usize> {
    path.match_indices('@').map(|(at, _)| at).find(|&at| {
        let opens_segment = at == 0 || path[..at].ends_with('/');
        !(opens_segment && path[at..].contains('/'))
    })
}

/// Decodes the segments that are not empty and that `keep` lets pass; `None` when none is left.
fn segments(part: Part<'_>, keep: impl Fn(&str) -> bool) -> Result<Option<String>, PurlError> {
    let mut joined: Option<String> = None;
    for segment in part.split('/').filter(|segment| !segment.text.is_empty()) {
        let decoded = decode(segment)?;
        if decoded.contains('/') {
            return Err(segment.error("a segment holds an encoded `/`"));
        }
        if keep(&decoded) {
            joined = Some(match joined {
                Some(before) => format!("{before}/{decoded}"),
                None => decoded,
            });
        }
    }
    Ok(joined)
}

fn read_qualifiers(part: Part<'_>) -> Result<BTreeMap<String, String>, PurlError> {
    let mut qualifiers = BTreeMap::new();
    for pair in part.split('&').filter(|pair| !pair.text.is_empty()) {
        let (key, value) = pair.cut_first('=');
        let letter_first = key.text.starts_with(|c: char| c.is_ascii_alphabetic());
        if !letter_first
            || key
                .text
                .contains(|c: char| !c.is_ascii_alphanumeric() && !".-_".contains(c))
        {
            return Err(
                key.error("a qualifier's key is not a word of letters, digits, `.`, `-` and `_`")
            );
        }
        let Some(value) = value.filter(|value| !value.text.is_empty()) else {
            continue;
        };
        if qualifiers
            .insert(key.text.to_ascii_lowercase(), decode(value)?)
            .is_some()
        {
            return Err(key.error("a qualifier is given twice"));
        }
    }
    Ok(qualifiers)
}

fn decode(part: Part<'_>) -> Result<String, PurlError> {
    if !part.text.contains('%') {
        return Ok(part.text.to_owned());
    }
    let mut bytes = Vec::with_capacity(part.text.len());
    let mut rest = part.text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first != b'%' {
            bytes.push(*first);
            rest = tail;
            continue;
        }
        let at = part.at + part.text.len() - rest.len();
        let broken = PurlError {
            at,
            why: "a percent escape is broken",
        };
        let [high, low, tail @ ..] = tail else {
            return Err(broken);
        };
        let (Some(high), Some(low)) = (hex(*high), hex(*low)) else {
            return Err(broken);
        };
        bytes.push(high << 4 | low);
        rest = tail;
    }
    String::from_utf8(bytes).map_err(|_| part.error("the percent escapes are not UTF-8"))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// The canonical spelling: the specification's order and percent encoding.
impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pkg:{}", self.kind)?;
        for segment in self
            .namespace
            .iter()
            .flat_map(|namespace| namespace.split('/'))
        {
            write!(f, "/{}", Encoded(segment))?;
        }
        write!(f, "/{}", Encoded(&self.name))?;
        if let Some(version) = &self.version {
            write!(f, "@{}", Encoded(version))?;
        }
        for (at, (key, value)) in self.qualifiers.iter().enumerate() {
            write!(
                f,
                "{}{key}={}",
                if at == 0 { '?' } else { '&' },
                Encoded(value)
            )?;
        }
        for (at, segment) in self
            .subpath
            .iter()
            .flat_map(|path| path.split('/'))
            .enumerate()
        {
            write!(f, "{}{}", if at == 0 { '#' } else { '/' }, Encoded(segment))?;
        }
        Ok(())
    }
}

/// Percent-encodes all but letters, digits and `.-_~:`.
struct Encoded<'a>(&'a str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.bytes().try_for_each(|byte| match byte {
            b'.' | b'-' | b'_' | b'~' | b':' => write!(f, "{}", char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => write!(f, "{}", char::from(byte)),
            _ => write!(f, "%{byte:02X}"),
        })
    }
}

#[cfg(test)]
mod tests;
