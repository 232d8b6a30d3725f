//! Which package a purl or an advisory speaks of, only as far as choosing advisories needs it.

/// An ecosystem as OSV names it (`Debian:11`, `PyPI`) and a name in its normal form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PackageName {
    pub(super) ecosystem: String,
    pub(super) name: String,
}

impl PackageName {
    /// The package of an advisory.
    pub(super) fn of_advisory(ecosystem: &str, name: &str) -> Self {
        Self {
            ecosystem: ecosystem.to_owned(),
            name: normal_name(ecosystem, name),
        }
    }

    /// The package of a component; `None` where the demo's advisories cannot speak of it.
    ///
    /// A Debian advisory names the source package: the purl's `upstream`, else the binary package's name.
    pub(super) fn of_component(purl: &Purl) -> Option<Self> {
        let (ecosystem, name) = match purl.kind.as_str() {
            "cargo" => ("crates.io".to_owned(), purl.path.clone()),
            "golang" => ("Go".to_owned(), purl.path.clone()),
            "maven" => ("Maven".to_owned(), purl.path.replacen('/', ":", 1)),
            "npm" => ("npm".to_owned(), purl.path.clone()),
            "pypi" => ("PyPI".to_owned(), purl.path.clone()),
            "deb" => {
                let binary = purl.path.strip_prefix("debian/")?;
                let release = purl
                    .qualifier("distro")?
                    .strip_prefix("debian-")?
                    .to_owned();
                let major = release.split('.').next()?;
                // `upstream` may carry the source's version: `glibc@2.31-13`.
                let source = purl.qualifier("upstream");
                let source = source.as_deref().and_then(|text| text.split('@').next());
                (
                    format!("Debian:{major}"),
                    source.unwrap_or(binary).to_owned(),
                )
            }
            _ => return None,
        };
        let name = normal_name(&ecosystem, &name);
        Some(Self { ecosystem, name })
    }

    /// `npm/left-pad`, `Debian:11/openssl`.
    pub(super) fn spelling(&self) -> String {
        format!("{}/{}", self.ecosystem, self.name)
    }
}

/// PEP 503 for `PyPI`: lower case, runs of `-`, `_` and `.` as one `-`. Others as they are.
fn normal_name(ecosystem: &str, name: &str) -> String {
    if ecosystem != "PyPI" {
        return name.to_owned();
    }
    let lower = name.to_ascii_lowercase();
    let parts = lower.split(['-', '_', '.']).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-")
}

/// A package URL, split and percent-decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Purl {
    /// `deb`, `golang`.
    pub(super) kind: String,
    /// Namespace and name: `debian/openssl`, `github.com/square/go-jose`.
    pub(super) path: String,
    pub(super) version: Option<String>,
    qualifiers: String,
}

impl Purl {
    /// Splits a purl; `None` when it has no type or no name.
    pub(super) fn split(text: &str) -> Option<Self> {
        let text = text.strip_prefix("pkg:")?;
        let text = text.split('#').next()?;
        let (text, qualifiers) = text.split_once('?').unwrap_or((text, ""));
        let (kind, rest) = text.trim_start_matches('/').split_once('/')?;
        // An npm scope may stand unencoded, so an `@` at the start is not a version.
        let at = rest
            .rfind('@')
            .filter(|at| *at > 0 && !rest[*at..].contains('/'));
        let (path, version) = at.map_or((rest, None), |at| (&rest[..at], Some(&rest[at + 1..])));
        (!path.is_empty()).then(|| Self {
            kind: kind.to_ascii_lowercase(),
            path: percent_decoded(path),
            version: version
                .filter(|version| !version.is_empty())
                .map(percent_decoded),
            qualifiers: qualifiers.to_owned(),
        })
    }

    fn qualifier(&self, wanted: &str) -> Option<String> {
        let mut pairs = self
            .qualifiers
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(key, _)| *key == wanted)
            .map(|(_, value)| percent_decoded(value))
    }
}

/// Decodes `%2B`; a `%` that starts no escape stays as it is.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let escape = (byte == b'%').then(|| tail.get(..2)).flatten();
        let decoded = escape
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(decoded.unwrap_or(byte));
        rest = if decoded.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(purl: &str, expected: Option<&str>) {
        let purl = Purl::split(purl).expect("a purl");
        let name = PackageName::of_component(&purl).map(|name| name.spelling());
        assert_eq!(name.as_deref(), expected, "{purl:?}");
    }

    #[test]
    fn a_component_is_named_as_its_advisories_name_it() {
        check("pkg:npm/%40angular/core@1.0.0", Some("npm/@angular/core"));
        check("pkg:npm/@angular/core", Some("npm/@angular/core"));
        check("pkg:pypi/Flask_Caching@1.10.1", Some("PyPI/flask-caching"));
        check("pkg:maven/org.a/b@1", Some("Maven/org.a:b"));
        check(
            "pkg:golang/golang.org/x/net@v0.4.0",
            Some("Go/golang.org/x/net"),
        );
        check(
            "pkg:deb/debian/libssl1.1@1.1.1n-0%2Bdeb11u3?arch=amd64&upstream=openssl&distro=debian-11.6",
            Some("Debian:11/openssl"),
        );
        check(
            "pkg:deb/debian/tar@1.34?distro=debian-12",
            Some("Debian:12/tar"),
        );
        check("pkg:deb/ubuntu/tar@1.34?distro=ubuntu-22.04", None);
        check("pkg:rpm/rhel/tar@1.34", None);
    }

    #[test]
    fn a_version_is_decoded_and_may_be_missing() {
        let version = |text| Purl::split(text).and_then(|purl| purl.version);
        assert_eq!(version("pkg:npm/@a/b@1.0.0?x=y").as_deref(), Some("1.0.0"));
        assert_eq!(version("pkg:deb/debian/a@1%2B2").as_deref(), Some("1+2"));
        assert_eq!(version("pkg:npm/%40a/b"), None);
        assert_eq!(version("pkg:npm/a@"), None);
    }
}
