//! Names that come in the URL: bounded and printable, so that each can be kept and shown.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A printable text of 1 to `MAX` characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name<const MAX: usize>(String);

/// The name of an upstream that documents come from.
pub(super) type SourceName = Name<200>;

impl<const MAX: usize> Name<MAX> {
    pub(super) fn into_text(self) -> String {
        self.0
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Display for Name<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Name<MAX> {
    fn deserialize<D: Deserializer<'de>>(text: D) -> Result<Self, D::Error> {
        let text = String::deserialize(text)?;
        let printable = !text.chars().any(char::is_control);
        if printable && (1..=MAX).contains(&text.chars().count()) {
            return Ok(Self(text));
        }
        Err(D::Error::custom(format_args!(
            "a name has 1 to {MAX} printable characters"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_bounded_and_printable() {
        let read = |text: &str| serde_json::from_value::<Name<3>>(text.into()).ok();
        assert_eq!(read("äbc").map(Name::into_text).as_deref(), Some("äbc"));
        for bad in ["", "abcd", "a\0", "a\n"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
