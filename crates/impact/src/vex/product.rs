//! Whether a statement's product is an image, or one of its components.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::Product;
use super::reference::{OCI, Reference};
use crate::purl::{Purl, pep_503};
use crate::sbom::Component;

/// An image as VEX statements may speak of it.
#[derive(Debug)]
pub struct Subject<'a> {
    digest: Option<&'a str>,
    references: Vec<Reference>,
    components: &'a [Component],
    /// Parsed on first use: most images are never spoken of.
    parts: OnceCell<BTreeMap<String, Vec<Purl>>>,
}

impl<'a> Subject<'a> {
    /// `digest` is `sha256:…`; `names` are image references, with or without a tag
    /// (`docker.io/library/redis`, `redis:7.0`), and purls (`pkg:oci/redis?tag=7.0`).
    pub fn new(digest: Option<&'a str>, names: &[String], components: &'a [Component]) -> Self {
        let references = names.iter().map(|name| Reference::of_image(name)).collect();
        Self {
            digest,
            references,
            components,
            parts: OnceCell::new(),
        }
    }

    /// Whether some component of the image is this package.
    fn contains(&self, pattern: &Purl) -> bool {
        let parts = self.parts.get_or_init(|| {
            let mut by_name: BTreeMap<String, Vec<Purl>> = BTreeMap::new();
            for purl in self
                .components
                .iter()
                .filter_map(|component| read_purl(&component.purl))
            {
                by_name.entry(purl.name.clone()).or_default().push(purl);
            }
            by_name
        });
        parts
            .get(&pattern.name)
            .is_some_and(|purls| purls.iter().any(|purl| covers(pattern, purl)))
    }
}

/// A statement's product, made ready to be compared.
#[derive(Debug)]
pub(super) struct Target<'s> {
    product: &'s Product,
    purl: Option<Purl>,
    reference: Option<Reference>,
    subcomponents: Vec<Purl>,
}

impl<'s> Target<'s> {
    pub(super) fn new(product: &'s Product) -> Self {
        let purl = read_purl(&product.id);
        let reference = match &purl {
            Some(purl) if purl.kind == OCI => Some(Reference::of_purl(purl)),
            Some(_) => None,
            None => Some(Reference::read(&product.id)),
        };
        let subcomponents = product
            .subcomponents
            .iter()
            .filter_map(|part| read_purl(part))
            .collect();
        Self {
            product,
            purl,
            reference,
            subcomponents,
        }
    }

    /// Whether the statement speaks of this component in this image.
    ///
    /// A product is the image itself, or the component itself. One with subcomponents may also be
    /// any component of the image (the program that carries the parts), and then speaks only of
    /// components that are among its parts.
    pub(super) fn speaks_of(&self, image: &Subject<'_>, component: &Purl) -> bool {
        let itself = self.is_image(image)
            || self
                .purl
                .as_ref()
                .is_some_and(|pattern| covers(pattern, component));
        if self.product.subcomponents.is_empty() {
            return itself;
        }
        self.subcomponents
            .iter()
            .any(|part| covers(part, component))
            && (itself
                || self
                    .purl
                    .as_ref()
                    .is_some_and(|pattern| image.contains(pattern)))
    }

    /// A digest decides where the product gives one: another build under the same name is another
    /// product.
    fn is_image(&self, image: &Subject<'_>) -> bool {
        let named = self.reference.as_ref();
        let digests = &self.product.digests;
        let wanted = named.and_then(|reference| reference.digest.as_deref());
        if let Some(digest) = image.digest
            && (digests.contains(digest) || wanted == Some(digest) || self.product.id == digest)
        {
            return true;
        }
        digests.is_empty()
            && wanted.is_none()
            && named.is_some_and(|wanted| image.references.iter().any(|name| wanted.names(name)))
    }
}

/// Whether a purl of a statement covers a component: what the statement leaves out (version,
/// qualifiers, subpath) may be anything (`OpenVEX` specification, "Product and subcomponent
/// matching"; the same as go-vex does). A Go version is one with and without its `v`.
fn covers(pattern: &Purl, purl: &Purl) -> bool {
    let free = |wanted: &Option<String>, found| wanted.is_none() || wanted == found;
    pattern.kind == purl.kind
        && pattern.name == purl.name
        && pattern.namespace == purl.namespace
        && (pattern.version.is_none() || version(pattern) == version(purl))
        && free(&pattern.subpath, &purl.subpath)
        && pattern
            .qualifiers
            .iter()
            .all(|(key, value)| purl.qualifiers.get(key) == Some(value))
}

/// A purl's version, in the one of its spellings that its ecosystem's tools do not agree about: modules of Go
/// have `v` before their versions (<https://go.dev/ref/mod#versions>), which half of the writers of purls leave out.
fn version(purl: &Purl) -> Option<&str> {
    let version = purl.version.as_deref();
    match purl.kind.as_str() {
        "golang" => version.map(|text| match text.strip_prefix('v') {
            Some(bare) if bare.starts_with(|first: char| first.is_ascii_digit()) => bare,
            _ => text,
        }),
        _ => version,
    }
}

/// A purl with its name in normal form; `None` for a text that is none.
pub(super) fn read_purl(text: &str) -> Option<Purl> {
    let mut purl = Purl::parse(text).ok()?;
    if purl.kind == "pypi" {
        purl.name = pep_503(&purl.name);
    }
    Some(purl)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sbom::Unmatched;

    const DIGEST: &str = "sha256:aa";
    const CURL: &str = "pkg:deb/debian/curl@7.74.0-1?arch=amd64&distro=debian-11";
    const NET: &str = "pkg:golang/golang.org/x/net@v0.4.0";

    /// An image of `docker.io/acme/shop` (tag 1.2) and `quay.io/acme/shop` (1.3) with curl, x/net and a program.
    fn check(id: &str, digests: &[&str], parts: &[&str], component: &str, expected: bool) {
        let set = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let product = Product {
            id: id.to_owned(),
            digests: set(digests),
            subcomponents: set(parts),
        };
        let components: Vec<Component> = [CURL, NET, "pkg:golang/acme.org/shop@(devel)", "no purl"]
            .map(|purl| Component {
                purl: purl.to_owned(),
                identity: Err(Unmatched::VersionMissing),
                source_assumed: false,
            })
            .into();
        let names = [
            "acme/shop:1.2",
            "pkg:oci/shop@sha256:aa?arch=amd64&repository_url=quay.io/acme&tag=1.3",
        ];
        let image = Subject::new(Some(DIGEST), &names.map(str::to_owned), &components);
        let component = read_purl(component).unwrap();
        let found = Target::new(&product).speaks_of(&image, &component);
        assert_eq!(found, expected, "{id} {digests:?} {parts:?} {component}");
    }

    #[test]
    fn an_image_is_meant_by_digest_purl_or_reference() {
        check(DIGEST, &[], &[], CURL, true);
        check("the shop", &[DIGEST], &[], CURL, true);
        check("pkg:oci/shop@sha256%3Aaa", &[], &[], CURL, true);
        check(
            "pkg:oci/shop@sha256:aa?arch=amd64&repository_url=other.io",
            &[],
            &[],
            CURL,
            true,
        );
        check(
            "pkg:oci/shop?repository_url=index.docker.io/acme/shop",
            &[],
            &[],
            CURL,
            true,
        );
        check(
            "pkg:oci/shop?repository_url=docker.io/acme",
            &[],
            &[],
            CURL,
            true,
        );
        check(
            "pkg:oci/shop?repository_url=docker.io/acme&tag=1.2",
            &[],
            &[],
            CURL,
            true,
        );
        check("pkg:oci/shop", &[], &[], CURL, true);
        let quay = "pkg:oci/shop?repository_url=quay.io/acme/shop";
        check(&format!("{quay}&tag=1.3"), &[], &[], CURL, true);
        check(&format!("{quay}&arch=amd64"), &[], &[], CURL, true);
        check("pkg:oci/shop?tag=1.3", &[], &[], CURL, true);
        check("pkg:oci/shop@1.2", &[], &[], CURL, true);
        check("docker.io/acme/shop", &[], &[], CURL, true);
        check("acme/shop:1.2", &[], &[], CURL, true);
        check("acme/shop:1.2@sha256:aa", &[], &[], CURL, true);
    }

    #[test]
    fn another_image_is_not_meant() {
        check("sha256:bb", &[], &[], CURL, false);
        check("acme/shop", &["sha256:bb"], &[], CURL, false);
        check("pkg:oci/shop@sha256:bb", &[], &[], CURL, false);
        check(
            "pkg:oci/shop?repository_url=ghcr.io/acme",
            &[],
            &[],
            CURL,
            false,
        );
        check(
            "pkg:oci/shop?repository_url=docker.io/acme&tag=1.3",
            &[],
            &[],
            CURL,
            false,
        );
        check("pkg:oci/shop?arch=arm64", &[], &[], CURL, false);
        let quay = "pkg:oci/shop?repository_url=quay.io/acme/shop";
        check(&format!("{quay}&tag=1.2"), &[], &[], CURL, false);
        check(&format!("{quay}&tag=1.3&os=linux"), &[], &[], CURL, false);
        check("pkg:oci/shop?tag=1.4", &[], &[], CURL, false);
        check("pkg:oci/shop@1.4", &[], &[], CURL, false);
        check("pkg:oci/shopping", &[], &[], CURL, false);
        check("acme/shop:1.3", &[], &[], CURL, false);
        check("acme/shop@sha256:bb", &[], &[], CURL, false);
        check("shop", &[], &[], CURL, false);
    }

    /// Of every part that a purl can name, a product may leave out any and get none wrong.
    #[test]
    fn a_product_is_an_image_by_whatever_part_it_names() {
        let parts = [
            ("repository_url", "quay.io/acme", "quay.io/other"),
            ("tag", "1.3", "1.4"),
            ("arch", "amd64", "arm64"),
        ];
        // Each part is left out, right, or wrong.
        for case in 0..27_u32 {
            let ways = [case % 3, case / 3 % 3, case / 9];
            let named = parts.iter().zip(ways).filter(|(_, way)| *way > 0);
            let text: Vec<String> = named
                .map(|((key, right, wrong), way)| {
                    format!("{key}={}", if way == 1 { right } else { wrong })
                })
                .collect();
            let id = format!("pkg:oci/shop?{}", text.join("&"));
            check(&id, &[], &[], CURL, !ways.contains(&2));
        }
    }

    #[test]
    fn a_component_is_meant_by_what_the_statement_says_of_it() {
        check("pkg:deb/debian/curl", &[], &[], CURL, true);
        check(
            "pkg:deb/debian/curl@7.74.0-1?distro=debian-11",
            &[],
            &[],
            CURL,
            true,
        );
        check(
            "pkg:deb/debian/curl@7.74.0-1?distro=debian-12",
            &[],
            &[],
            CURL,
            false,
        );
        check("pkg:deb/debian/curl@7.74.0-2", &[], &[], CURL, false);
        check("pkg:deb/ubuntu/curl", &[], &[], CURL, false);
        check("pkg:deb/debian/curl", &[], &[], NET, false);
    }

    /// An advisory of Prometheus speaks of `@0.20.0-alpha.2`, an SBOM of `@v0.20.0-alpha.2`, and the other way round.
    #[test]
    fn a_go_version_is_one_with_and_without_its_v() {
        let net = "pkg:golang/golang.org/x/net";
        let bare = format!("{net}@0.4.0");
        check(&bare, &[], &[], NET, true);
        check(NET, &[], &[], &bare, true);
        check("pkg:golang/acme.org/shop", &[], &[bare.as_str()], NET, true);
        check(&format!("{net}@0.4.1"), &[], &[], NET, false);
        check(&format!("{net}@v"), &[], &[], NET, false);
        // Elsewhere the letter is the version's own.
        let deb = "pkg:deb/debian/curl@v7.74.0-1";
        check(deb, &[], &[], CURL, false);
        let npm = |version: &str| format!("pkg:npm/a@{version}");
        check(&npm("v1.0.0"), &[], &[], &npm("1.0.0"), false);
    }

    #[test]
    fn subcomponents_narrow_a_product_to_parts() {
        let net = "pkg:golang/golang.org/x/net@v0.4.0";
        check("pkg:golang/acme.org/shop", &[], &[net], NET, true);
        check(
            "pkg:golang/acme.org/shop",
            &[],
            &["pkg:golang/golang.org/x/net"],
            NET,
            true,
        );
        check(
            "pkg:golang/acme.org/shop",
            &[],
            &["pkg:golang/golang.org/x/net@v0.5.0"],
            NET,
            false,
        );
        check("pkg:golang/acme.org/shop", &[], &[net], CURL, false);
        check("pkg:golang/acme.org/shop", &[], &["net"], NET, false);
        check("pkg:golang/acme.org/shop", &[], &[], NET, false);
        check("pkg:golang/acme.org/till", &[], &[net], NET, false);
        check("docker.io/acme/shop", &[], &[net], NET, true);
        check("docker.io/acme/shop", &[], &[net], CURL, false);
    }
}
