//! `PyPI`: PEP 440.

use std::str::FromStr;

use pep440_rs::Version;

/// Reads a PEP 440 version; its spellings of one version are equal (`1.0.RC1` and `1.0rc1`).
pub(super) fn parse(text: &str) -> Result<Version, String> {
    Version::from_str(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use crate::version::Scheme;
    use crate::version::check::{order, refuse};

    #[test]
    fn pep_440() {
        for line in [
            "1.0.dev1 < 1.0a1",
            "1.0a1 < 1.0b1",
            "1.0b1 < 1.0rc1",
            "1.0rc1 < 1.0",
            "1.0 < 1.0+cpu",
            "1.0+cpu < 1.0.post1",
            "1.0-1 = 1.0.post1",
            "1.0.0 = 1",
            "v1.0.RC1 = 1.0rc1",
            "9999 < 1!0",
        ] {
            order(Scheme::Pep440, line);
        }
        for text in [
            "",
            "2.9.0-NA",
            "0.1-bulbasaur",
            "2.6.0-cu124",
            "18446744073709551616",
        ] {
            refuse(Scheme::Pep440, text);
        }
    }
}
