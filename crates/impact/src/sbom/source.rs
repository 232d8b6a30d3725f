//! The source package of a binary package, and tags of an image, as the component's own entry in a document states them.
//!
//! Tools have no common field for it. What counts is the statement, not the tool's name: a document
//! may be rewritten, merged or renamed on its way here. Entries of other packages are not looked at.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::purl::{SourcePackage, with_epoch};

/// How a purl begins whose advisories are about source packages.
const BINARY_PACKAGES: &str = "pkg:deb/";

/// What precedes a source package in `sourceInfo` of SPDX.
const BUILT_FROM: &str = "built package from:";

/// A source package with the kind of its statement. Of two statements about one purl, the lesser counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stated {
    kind: Kind,
    source: SourcePackage,
}

/// The kinds of statement; the first of those that are there counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Properties `aquasecurity:trivy:Src…`.
    Trivy,
    /// Properties `syft:metadata:source…`.
    Syft,
    /// `sourceInfo` of an SPDX package.
    SourceInfo,
}

impl Stated {
    pub(super) fn source(&self) -> &SourcePackage {
        &self.source
    }

    /// Whether this one counts where both are there. Which stood first has no meaning.
    pub(super) fn precedes(&self, other: &Self) -> bool {
        let rank = |one: &Self| (one.kind, !one.source.has_version());
        (rank(self), &self.source) < (rank(other), &other.source)
    }

    /// What the properties of a `CycloneDX` component state about its source package.
    pub(super) fn in_properties(purl: &str, properties: Option<&RawValue>) -> Option<Self> {
        let properties = properties.filter(|_| purl.starts_with(BINARY_PACKAGES))?;
        let properties = Properties::read(properties);
        properties.trivy().or_else(|| properties.syft())
    }

    /// What `sourceInfo` of an SPDX package states about its source package:
    /// `built package from: expat 2.5.0-1`, also behind other text.
    pub(super) fn in_source_info(purl: &str, info: Option<&RawValue>) -> Option<Self> {
        let info = info.filter(|_| purl.starts_with(BINARY_PACKAGES))?;
        let info: String = serde_json::from_str(info.get()).ok()?;
        let (_, source) = info.split_once(BUILT_FROM)?;
        let source = source.split([';', ',', '\n']).next().unwrap_or_default();
        let mut words = source.split_whitespace();
        Some(Self {
            kind: Kind::SourceInfo,
            source: SourcePackage::new(words.next()?, words.next())?,
        })
    }
}

/// The properties of a component that can be read. What cannot is no reason to refuse a document: it was not asked for
/// by any standard.
fn properties_in(properties: &RawValue) -> impl Iterator<Item = Property> {
    let entries: Vec<&RawValue> = serde_json::from_str(properties.get()).unwrap_or_default();
    let read = |entry: &RawValue| serde_json::from_str(entry.get()).ok();
    entries.into_iter().filter_map(read)
}

/// References of an image (`redis:7`), as the properties of the component state them.
pub(super) fn repo_tags(properties: Option<&RawValue>) -> Vec<String> {
    let properties = properties.into_iter().flat_map(properties_in);
    let tags = properties.filter(|property| property.name == "aquasecurity:trivy:RepoTag");
    tags.map(|property| property.value).collect()
}

/// The properties that are of interest. Of several values of one property the least counts.
#[derive(Default)]
struct Properties(std::collections::BTreeMap<String, String>);

#[derive(Deserialize)]
struct Property {
    name: String,
    value: String,
}

impl Properties {
    fn read(properties: &RawValue) -> Self {
        let mut read = Self::default();
        for Property { name, value } in properties_in(properties) {
            if name.starts_with("aquasecurity:trivy:Src")
                || name.starts_with("syft:metadata:source")
            {
                let known = read.0.entry(name).or_insert_with(|| value.clone());
                if value < *known {
                    *known = value;
                }
            }
        }
        read
    }

    fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name)?.trim();
        (!value.is_empty()).then_some(value)
    }

    /// `[epoch:]version[-release]`.
    fn trivy(&self) -> Option<Stated> {
        let version = self.get("aquasecurity:trivy:SrcVersion").map(|version| {
            let version = with_epoch(self.get("aquasecurity:trivy:SrcEpoch"), version);
            match self.get("aquasecurity:trivy:SrcRelease") {
                Some(release) => format!("{version}-{release}"),
                None => version,
            }
        });
        let name = self.get("aquasecurity:trivy:SrcName")?;
        Some(Stated {
            kind: Kind::Trivy,
            source: SourcePackage::new(name, version.as_deref())?,
        })
    }

    fn syft(&self) -> Option<Stated> {
        let version = self.get("syft:metadata:sourceVersion");
        let name = self.get("syft:metadata:source")?;
        Some(Stated {
            kind: Kind::Syft,
            source: SourcePackage::new(name, version)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PURL: &str = "pkg:deb/debian/libexpat1@2.5.0-1?distro=debian-12";

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).expect("JSON")
    }

    /// Name and version.
    type Source<'a> = Option<(&'a str, Option<&'a str>)>;

    fn same(found: Option<&Stated>, expected: Source<'_>, what: &str) {
        let expected = expected.and_then(|(name, version)| SourcePackage::new(name, version));
        assert_eq!(found.map(Stated::source), expected.as_ref(), "{what}");
    }

    fn check(properties: &str, expected: Source<'_>) {
        let found = Stated::in_properties(PURL, Some(&raw(properties)));
        same(found.as_ref(), expected, properties);
    }

    #[test]
    fn properties_state_a_source_package() {
        let trivy = |name: &str, value: &str| {
            format!(r#"{{"name":"aquasecurity:trivy:{name}","value":"{value}"}}"#)
        };
        let name = trivy("SrcName", "expat");
        let version = trivy("SrcVersion", "2.5.0");
        let release = trivy("SrcRelease", "1");
        let epoch = trivy("SrcEpoch", "1");
        check(&format!("[{name}]"), Some(("expat", None)));
        check(
            &format!("[{version},{name}]"),
            Some(("expat", Some("2.5.0"))),
        );
        check(
            &format!("[{release},{version},{name}]"),
            Some(("expat", Some("2.5.0-1"))),
        );
        check(
            &format!("[{epoch},{name},{release},{version}]"),
            Some(("expat", Some("1:2.5.0-1"))),
        );
        check(&format!("[{version},{release}]"), None);
        let other = trivy("SrcName", "zlib");
        check(&format!("[{other},{name}]"), Some(("expat", None)));
        check(&format!("[{name},{other}]"), Some(("expat", None)));
        let syft = r#"{"name":"syft:metadata:source","value":"zlib"}"#;
        let syft_version = r#"{"name":"syft:metadata:sourceVersion","value":"1:3"}"#;
        check(
            &format!("[{syft},{syft_version}]"),
            Some(("zlib", Some("1:3"))),
        );
        check(&format!("[{syft},{name}]"), Some(("expat", None)));
        check(
            &format!("[{syft},{}]", trivy("SrcName", "")),
            Some(("zlib", None)),
        );
    }

    #[test]
    fn what_cannot_be_read_is_passed_over() {
        let name = r#"{"name":"syft:metadata:source","value":"expat"}"#;
        for odd in [
            "7",
            "{}",
            r#"{"name":7,"value":"a"}"#,
            r#"{"name":"a"}"#,
            "null",
            "[]",
        ] {
            check(&format!("[{odd},{name}]"), Some(("expat", None)));
        }
        for odd in ["{}", "7", "\"a\"", "[]"] {
            check(odd, None);
        }
        check(r#"[{"name":"syft:metadata:source","value":"a b"}]"#, None);
    }

    #[test]
    fn source_info_states_a_source_package() {
        let check = |info: &str, expected: Source<'_>| {
            let quoted = raw(&serde_json::to_string(info).expect("JSON"));
            let found = Stated::in_source_info(PURL, Some(&quoted));
            same(found.as_ref(), expected, info);
        };
        check(
            "built package from: expat 2.5.0-1",
            Some(("expat", Some("2.5.0-1"))),
        );
        check("built package from: expat ", Some(("expat", None)));
        check(
            "acquired package info from DPKG DB: /var/lib/dpkg/status; built package from: expat 1:2; more",
            Some(("expat", Some("1:2"))),
        );
        check(
            "acquired package info from DPKG DB: /var/lib/dpkg/status",
            None,
        );
        check("built package from:", None);
        assert_eq!(Stated::in_source_info(PURL, Some(&raw("[7]"))), None);
    }

    #[test]
    fn other_packages_are_not_looked_at() {
        let name = raw(r#"[{"name":"syft:metadata:source","value":"expat"}]"#);
        assert_eq!(Stated::in_properties("pkg:rpm/a@1", Some(&name)), None);
        let info = raw(r#""built package from: expat 1""#);
        assert_eq!(Stated::in_source_info("pkg:apk/a@1", Some(&info)), None);
    }

    #[test]
    fn the_order_of_statements_has_no_meaning() {
        let stated = |kind, name, version| Stated {
            kind,
            source: SourcePackage::new(name, version).expect("a source package"),
        };
        let sorted = [
            stated(Kind::Trivy, "b", Some("1")),
            stated(Kind::Trivy, "a", None),
            stated(Kind::Syft, "a", Some("1")),
            stated(Kind::SourceInfo, "a", Some("1")),
            stated(Kind::SourceInfo, "a", Some("2")),
        ];
        for (at, one) in sorted.iter().enumerate() {
            for (behind, other) in sorted.iter().enumerate() {
                assert_eq!(one.precedes(other), at < behind);
            }
        }
    }
}
