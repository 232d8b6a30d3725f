//! npm, crates.io and Go: `SemVer` 2.0 precedence.

use ::semver::Version;

/// Reads a version leniently where real documents are lenient: a leading `v` is dropped, one- and
/// two-part versions are padded with zeros. Build metadata never orders, so it is dropped unread;
/// that makes equality and precedence the same thing (Go's `+incompatible` among it).
pub(super) fn parse(text: &str) -> Result<Version, String> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let ordered = text
        .split_once('+')
        .map_or(text, |(ordered, _build)| ordered);
    let (numbers, pre) = ordered
        .split_once('-')
        .map_or((ordered, None), |(numbers, pre)| (numbers, Some(pre)));
    let padding = match numbers.split('.').count() {
        1 => ".0.0",
        2 => ".0",
        _ => "",
    };
    let full = match pre {
        Some(pre) => format!("{numbers}{padding}-{pre}"),
        None => format!("{numbers}{padding}"),
    };
    Version::parse(&full).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use crate::version::Scheme;
    use crate::version::check::{order, refuse};

    #[test]
    fn semver_precedence() {
        for line in [
            "1.0.0-alpha < 1.0.0-alpha.1",
            "1.0.0-alpha.1 < 1.0.0-alpha.beta",
            "1.0.0-beta.2 < 1.0.0-beta.11",
            "1.0.0-rc.1 < 1.0.0",
            "1.2.3-5-Foo < 1.2.3-5-foo",
            "0.9.9 < 0.10.0",
            "1.2.3+a = 1.2.3+b",
            "1.2.3-1.1+a < 1.2.3",
        ] {
            order(Scheme::Semver, line);
        }
    }

    #[test]
    fn lenient_spellings() {
        for line in [
            "v1.2.3 = 1.2.3",
            "1 = 1.0.0",
            "v1.2 = 1.2.0",
            "1-rc1 < 1",
            "v2.0.0+incompatible = 2.0.0",
            // Go pseudo-versions: before the tag they lead up to, ordered by commit time.
            "v0.0.0-20190101000000-0123456789ab < v0.0.0-20200101000000-aaaaaaaaaaaa",
            "v1.2.4-0.20210101000000-0123456789ab < v1.2.4",
            "v1.2.3 < v1.2.4-0.20210101000000-0123456789ab",
        ] {
            order(Scheme::Semver, line);
        }
    }

    #[test]
    fn what_has_no_place() {
        for text in [
            "",
            "v",
            "(devel)",
            "1.2.3.4",
            "1.x",
            "01.2.3",
            "18446744073709551616.0.0",
            "1.9.0b1",
        ] {
            refuse(Scheme::Semver, text);
        }
    }
}
