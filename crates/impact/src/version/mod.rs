//! Version order, ecosystem by ecosystem.
//!
//! One parsed form per scheme; two versions of different schemes have no order. Every order is
//! total and agrees with equality, so versions may be sorted and searched.

mod debian;
mod maven;
mod pep440;
mod semver;

use std::cmp::Ordering;

use crate::package::Ecosystem;

use self::debian::DebianVersion;
use self::maven::MavenVersion;

/// Longest version text that is read, in bytes; the longest real one is well under 200.
pub const VERSION_BYTES_MAX: usize = 1024;

/// The rules by which two versions are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// `SemVer` 2.0 precedence (npm, crates.io, Go).
    Semver,
    /// PEP 440 (`PyPI`).
    Pep440,
    /// deb-version(7), as dpkg orders.
    Debian,
    /// Maven's `ComparableVersion`.
    Maven,
}

impl Scheme {
    /// The order an ecosystem uses.
    pub const fn of(ecosystem: Ecosystem) -> Self {
        match ecosystem {
            Ecosystem::Cargo | Ecosystem::Go | Ecosystem::Npm => Self::Semver,
            Ecosystem::PyPi => Self::Pep440,
            Ecosystem::Debian => Self::Debian,
            Ecosystem::Maven => Self::Maven,
        }
    }
}

/// A parsed version: cheap to compare, without its original spelling.
///
/// Equal means "neither before nor after" in its scheme: `1.0` equals `1.0.0` nearly everywhere.
/// Versions of different schemes are never equal and have no order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(Parsed);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Parsed {
    Semver(::semver::Version),
    Pep440(pep440_rs::Version),
    Debian(DebianVersion),
    Maven(MavenVersion),
}

/// Why a text is not a version that can be ordered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {scheme:?} version: {why}")]
pub struct VersionError {
    /// The text, cut to [`VERSION_BYTES_MAX`].
    pub text: String,
    /// The order that was tried.
    pub scheme: Scheme,
    /// What is wrong with it.
    pub why: String,
}

impl Version {
    /// Reads a version as its ecosystem orders it.
    ///
    /// # Errors
    /// [`VersionError`] when the text has no place in that order. Input never panics.
    pub fn parse(ecosystem: Ecosystem, text: &str) -> Result<Self, VersionError> {
        Self::parse_as(Scheme::of(ecosystem), text)
    }

    /// Reads a version as `SemVer`, whatever its ecosystem: what ranges of type `SEMVER` ask for.
    ///
    /// # Errors
    /// [`VersionError`] as for [`Version::parse`].
    pub fn parse_semver(text: &str) -> Result<Self, VersionError> {
        Self::parse_as(Scheme::Semver, text)
    }

    /// Reads a version in a given order.
    ///
    /// # Errors
    /// [`VersionError`] as for [`Version::parse`].
    pub fn parse_as(scheme: Scheme, text: &str) -> Result<Self, VersionError> {
        if text.len() > VERSION_BYTES_MAX {
            let cut = text.floor_char_boundary(VERSION_BYTES_MAX);
            let why = format!("longer than {VERSION_BYTES_MAX} bytes");
            return Err(VersionError {
                text: text[..cut].to_owned(),
                scheme,
                why,
            });
        }
        match scheme {
            Scheme::Semver => semver::parse(text).map(Parsed::Semver),
            Scheme::Pep440 => pep440::parse(text).map(Parsed::Pep440),
            Scheme::Debian => DebianVersion::parse(text).map(Parsed::Debian),
            Scheme::Maven => MavenVersion::parse(text).map(Parsed::Maven),
        }
        .map(Self)
        .map_err(|why| VersionError {
            text: text.to_owned(),
            scheme,
            why,
        })
    }

    /// The order this version belongs to.
    pub const fn scheme(&self) -> Scheme {
        match self.0 {
            Parsed::Semver(_) => Scheme::Semver,
            Parsed::Pep440(_) => Scheme::Pep440,
            Parsed::Debian(_) => Scheme::Debian,
            Parsed::Maven(_) => Scheme::Maven,
        }
    }

    /// Which of two versions comes first; `None` when their schemes differ.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        self.partial_cmp(other)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (&self.0, &other.0) {
            (Parsed::Semver(a), Parsed::Semver(b)) => Some(a.cmp_precedence(b)),
            (Parsed::Pep440(a), Parsed::Pep440(b)) => Some(a.cmp(b)),
            (Parsed::Debian(a), Parsed::Debian(b)) => Some(a.cmp(b)),
            (Parsed::Maven(a), Parsed::Maven(b)) => Some(a.cmp(b)),
            (Parsed::Semver(_) | Parsed::Pep440(_) | Parsed::Debian(_) | Parsed::Maven(_), _) => {
                None
            }
        }
    }
}

/// Tells one order's rules as lines such as `1.0 < 1.1` or `1.0 = 1`, and `refuse` for the rest.
#[cfg(test)]
mod check {
    use super::{Scheme, Version};
    use std::cmp::Ordering;

    pub(super) fn order(scheme: Scheme, line: &str) {
        let [left, sign, right] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("not a line of the form `left sign right`: {line}");
        };
        let read = |text| Version::parse_as(scheme, text).unwrap_or_else(|e| panic!("{e}"));
        let wanted = match sign {
            "<" => Ordering::Less,
            "=" => Ordering::Equal,
            ">" => Ordering::Greater,
            _ => panic!("no such sign: {line}"),
        };
        assert_eq!(read(left).compare(&read(right)), Some(wanted), "{line}");
        assert_eq!(
            read(right).compare(&read(left)),
            Some(wanted.reverse()),
            "{line}, turned"
        );
        assert_eq!(
            read(left) == read(right),
            wanted.is_eq(),
            "{line}: order and equality agree"
        );
    }

    pub(super) fn refuse(scheme: Scheme, text: &str) {
        assert!(
            Version::parse_as(scheme, text).is_err(),
            "`{text}` has no place in the order"
        );
    }
}

#[cfg(test)]
mod laws;
