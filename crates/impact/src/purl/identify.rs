//! From a purl to the package whose advisories apply.

use crate::package::{Ecosystem, Package, PackageKey};
use crate::sbom::Unmatched;

use super::Purl;

/// Debian releases by code name, as some tools write the `distro` qualifier.
const DEBIAN_RELEASES: [(&str, &str); 8] = [
    ("wheezy", "7"),
    ("jessie", "8"),
    ("stretch", "9"),
    ("buster", "10"),
    ("bullseye", "11"),
    ("bookworm", "12"),
    ("trixie", "13"),
    ("forky", "14"),
];

/// A source package, as a document states it for a binary package that was built from it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourcePackage {
    name: String,
    version: Option<String>,
}

impl SourcePackage {
    /// `None` when the name is no name of a source package: then nothing is stated. A version that
    /// cannot be one is left out, as if only the name were stated.
    pub fn new(name: &str, version: Option<&str>) -> Option<Self> {
        let (name, version) = (name.trim(), version.map(str::trim));
        let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte);
        let in_version = |byte: u8| in_name(byte) || b":~".contains(&byte);
        let version = version.filter(|text| !text.is_empty() && text.bytes().all(in_version));
        (!name.is_empty() && name.bytes().all(in_name)).then(|| Self {
            name: name.to_owned(),
            version: version.map(str::to_owned),
        })
    }

    /// Whether the version is stated too.
    pub const fn has_version(&self) -> bool {
        self.version.is_some()
    }
}

/// What a component is taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// The package, in the spelling of its advisories.
    pub package: Package,
    /// Whether nothing states the source package, so that the binary package's own name stands for it.
    pub source_assumed: bool,
}

/// Names the package of a component, in the spelling of its advisories.
///
/// Debian's advisories are about source packages. The source package is that of the purl's `upstream`
/// qualifier, else the `stated` one, else it is assumed to be called like the binary package. Only
/// what is written of the component itself counts, never which tool wrote it.
///
/// # Errors
/// [`Unmatched`] says why the component cannot be judged.
pub fn identify(purl: &str, stated: Option<&SourcePackage>) -> Result<Identified, Unmatched> {
    let purl = Purl::parse(purl).map_err(|error| Unmatched::PurlInvalid(error.to_string()))?;
    let namespace = purl.namespace.as_deref();
    let (ecosystem, name) = match (purl.kind.as_str(), namespace) {
        ("deb", Some(debian)) if debian.eq_ignore_ascii_case("debian") => {
            return identify_debian(&purl, stated);
        }
        ("cargo", None) => (Ecosystem::Cargo, purl.name),
        ("pypi", None) => (Ecosystem::PyPi, pep_503(&purl.name)),
        ("cargo" | "pypi", Some(_)) => return Err(invalid("this type has no namespaces")),
        ("npm", _) => (Ecosystem::Npm, joined(namespace, '/', &purl.name)),
        ("maven", Some(_)) => (Ecosystem::Maven, joined(namespace, ':', &purl.name)),
        ("maven", None) => return Err(invalid("the group is missing")),
        ("golang", _) => (Ecosystem::Go, go_module(&purl)),
        ("deb", Some(vendor)) => {
            return Err(Unmatched::EcosystemUnsupported(format!("deb/{vendor}")));
        }
        (kind, _) => return Err(Unmatched::EcosystemUnsupported(kind.to_owned())),
    };
    let version = purl.version.ok_or(Unmatched::VersionMissing)?;
    Ok(Identified {
        package: Package {
            key: PackageKey {
                ecosystem,
                release: String::new(),
                name,
            },
            version,
        },
        source_assumed: false,
    })
}

fn identify_debian(purl: &Purl, stated: Option<&SourcePackage>) -> Result<Identified, Unmatched> {
    let distro = purl.qualifiers.get("distro");
    let release = distro
        .and_then(|distro| debian_release(distro))
        .ok_or(Unmatched::DebianReleaseUnknown)?;
    let upstream = purl.qualifiers.get("upstream").and_then(|source| {
        let (name, version) = source
            .split_once('@')
            .map_or((source.as_str(), None), |(name, version)| {
                (name, Some(version))
            });
        SourcePackage::new(name, version)
    });
    let source = upstream.as_ref().or(stated);
    let name = source.map_or(&purl.name, |source| &source.name).clone();
    // The source package's version, where it is not stated, is that of the binary package.
    let version = source
        .and_then(|source| source.version.clone())
        .or_else(|| binary_version(purl))
        .ok_or(Unmatched::VersionMissing)?;
    Ok(Identified {
        package: Package {
            key: PackageKey {
                ecosystem: Ecosystem::Debian,
                release,
                name,
            },
            version,
        },
        source_assumed: source.is_none(),
    })
}

/// The purl's version, with the epoch that some tools put into a qualifier.
fn binary_version(purl: &Purl) -> Option<String> {
    let version = purl.version.as_deref()?;
    let epoch = purl.qualifiers.get("epoch").map(String::as_str);
    Some(with_epoch(epoch, version))
}

/// `[epoch:]version`; an epoch of 0, none at all, and one that the version has already change nothing.
pub(crate) fn with_epoch(epoch: Option<&str>, version: &str) -> String {
    let epoch = epoch
        .map(str::trim)
        .and_then(|text| text.parse::<u32>().ok());
    match epoch {
        Some(epoch @ 1..) if !version.contains(':') => format!("{epoch}:{version}"),
        _ => version.to_owned(),
    }
}

/// `debian-11`, `debian-11.6`, `bullseye` and `debian-bullseye` are all `11`.
fn debian_release(distro: &str) -> Option<String> {
    let distro = distro.to_ascii_lowercase();
    let release = distro.strip_prefix("debian-").unwrap_or(&distro);
    let by_name = DEBIAN_RELEASES.iter().find(|(name, _)| *name == release);
    let major = by_name.map_or_else(
        || release.split_once('.').map_or(release, |(major, _)| major),
        |(_, number)| number,
    );
    let is_number = !major.is_empty() && major.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| major.to_owned())
}

/// PEP 503: lower case, and any run of `-`, `_` and `.` is one `-`.
pub(crate) fn pep_503(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            _ => normal.push(c.to_ascii_lowercase()),
        }
    }
    normal
}

fn joined(namespace: Option<&str>, sign: char, name: &str) -> String {
    namespace.map_or_else(
        || name.to_owned(),
        |namespace| format!("{namespace}{sign}{name}"),
    )
}

/// The full module path. Syft puts what stands behind the third segment into the subpath
/// (`go.etcd.io/etcd/api@v3.5.9#v3`), though it belongs to the module's name.
fn go_module(purl: &Purl) -> String {
    let path = joined(purl.namespace.as_deref(), '/', &purl.name);
    joined(
        Some(&path),
        '/',
        purl.subpath.as_deref().unwrap_or_default(),
    )
    .trim_end_matches('/')
    .to_owned()
}

fn invalid(why: &str) -> Unmatched {
    Unmatched::PurlInvalid(why.to_owned())
}
