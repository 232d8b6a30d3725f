//! What a package is called, in one spelling for SBOMs and advisories alike.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A package ecosystem whose version order is known (names as in the OSV schema).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ecosystem {
    /// crates.io
    Cargo,
    /// Debian; the release stands beside it in [`PackageKey::release`].
    Debian,
    /// Go modules.
    Go,
    /// Maven Central and its kin.
    Maven,
    /// npm.
    Npm,
    /// `PyPI`.
    PyPi,
}

impl Ecosystem {
    /// Every ecosystem, in the order of their names.
    pub const ALL: [Self; 6] = [
        Self::Cargo,
        Self::Debian,
        Self::Go,
        Self::Maven,
        Self::Npm,
        Self::PyPi,
    ];

    /// The name in OSV documents, without a release.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cargo => "crates.io",
            Self::Debian => "Debian",
            Self::Go => "Go",
            Self::Maven => "Maven",
            Self::Npm => "npm",
            Self::PyPi => "PyPI",
        }
    }
}

/// A package without a version: the key of the impact index.
///
/// Written `npm/@angular/core`, `Debian:11/openssl`; this spelling is also its wire form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageKey {
    /// Whose version order applies.
    pub ecosystem: Ecosystem,
    /// The distribution's release (`11` for Debian 11); empty where the ecosystem has none.
    pub release: String,
    /// The name in the ecosystem's normal form (PEP 503 for `PyPI`, `group:artifact` for Maven,
    /// the *source* package for Debian, the full module path for Go).
    pub name: String,
}

impl fmt::Display for PackageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.ecosystem.as_str())?;
        if !self.release.is_empty() {
            write!(f, ":{}", self.release)?;
        }
        write!(f, "/{}", self.name)
    }
}

/// Why a text is not a [`PackageKey`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a package key such as `npm/@angular/core` or `Debian:11/openssl`")]
pub struct PackageKeyError(pub String);

impl FromStr for PackageKey {
    type Err = PackageKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || PackageKeyError(text.to_owned());
        let (system, name) = text.split_once('/').ok_or_else(refuse)?;
        let (system, release) = system.split_once(':').unwrap_or((system, ""));
        let ecosystem = Ecosystem::ALL
            .into_iter()
            .find(|known| known.as_str() == system)
            .filter(|_| !name.is_empty())
            .ok_or_else(refuse)?;
        Ok(Self {
            ecosystem,
            release: release.to_owned(),
            name: name.to_owned(),
        })
    }
}

impl Serialize for PackageKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PackageKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A package at a version, as one component of an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Package {
    /// Which package.
    pub key: PackageKey,
    /// Its version, in the ecosystem's spelling (for Debian that of the source package).
    pub version: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) {
        assert_eq!(text.parse::<PackageKey>().expect("a key").to_string(), text);
    }

    #[test]
    fn keys_keep_their_spelling() {
        check("npm/@angular/core");
        check("Debian:11/openssl");
        check("Go/github.com/kiali/kiali");
        check("Maven/org.apache.logging.log4j:log4j-core");
        assert!("conan/zlib".parse::<PackageKey>().is_err());
        assert!("npm/".parse::<PackageKey>().is_err());
    }
}
