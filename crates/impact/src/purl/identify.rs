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

/// Names the package of a component, in the spelling of its advisories.
///
/// Debian's advisories speak of source packages. `records_source_packages` says whether the tool
/// that wrote the document notes the source package where it differs from the binary one (the
/// `upstream` qualifier); without that, a binary package's name proves nothing.
///
/// # Errors
/// [`Unmatched`] says why the component cannot be judged.
pub fn identify(purl: &str, records_source_packages: bool) -> Result<Package, Unmatched> {
    let purl = Purl::parse(purl).map_err(|error| Unmatched::PurlInvalid(error.to_string()))?;
    let namespace = purl.namespace.as_deref();
    let (ecosystem, name) = match (purl.kind.as_str(), namespace) {
        ("deb", Some(debian)) if debian.eq_ignore_ascii_case("debian") => {
            return identify_debian(purl, records_source_packages);
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
    Ok(Package {
        key: PackageKey {
            ecosystem,
            release: String::new(),
            name,
        },
        version,
    })
}

fn identify_debian(purl: Purl, records_source_packages: bool) -> Result<Package, Unmatched> {
    let release = purl
        .qualifiers
        .get("distro")
        .and_then(|distro| debian_release(distro));
    let Some(release) = release.filter(|_| records_source_packages) else {
        return Err(Unmatched::DebianSourceUnknown);
    };
    let (name, version) = match purl.qualifiers.get("upstream") {
        None => (purl.name.as_str(), None),
        Some(source) => match source.split_once('@') {
            None => (source.as_str(), None),
            Some((name, version)) => (name, Some(version.to_owned())),
        },
    };
    let name = name.to_owned();
    let version = version.or(purl.version).ok_or(Unmatched::VersionMissing)?;
    Ok(Package {
        key: PackageKey {
            ecosystem: Ecosystem::Debian,
            release,
            name,
        },
        version,
    })
}

/// `debian-11`, `debian-11.6`, `bullseye` and `debian-bullseye` are all `11`.
fn debian_release(distro: &str) -> Option<String> {
    let release = distro.strip_prefix("debian-").unwrap_or(distro);
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
