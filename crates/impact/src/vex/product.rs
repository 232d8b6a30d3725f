//! Whether a statement's product is an image, or one of its components.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::Product;
use super::reference::Reference;
use crate::purl::{Purl, pep_503};
use crate::sbom::Component;

/// The purl type of container images.
const OCI: &str = "oci";

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
    /// (`docker.io/library/redis`, `redis:7.0`).
    pub fn new(digest: Option<&'a str>, names: &[String], components: &'a [Component]) -> Self {
        let references = names.iter().map(|name| Reference::read(name)).collect();
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
            Some(purl) if purl.kind == OCI => Reference::of_purl(purl),
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
/// matching"; the same as go-vex does).
fn covers(pattern: &Purl, purl: &Purl) -> bool {
    let free = |wanted: &Option<String>, found| wanted.is_none() || wanted == found;
    pattern.kind == purl.kind
        && pattern.name == purl.name
        && pattern.namespace == purl.namespace
        && free(&pattern.version, &purl.version)
        && free(&pattern.subpath, &purl.subpath)
        && pattern
            .qualifiers
            .iter()
            .all(|(key, value)| purl.qualifiers.get(key) == Some(value))
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

    /// An image of repository `docker.io/acme/shop` (tag 1.2) with curl, x/net and a program.
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
        let image = Subject::new(Some(DIGEST), &["acme/shop:1.2".to_owned()], &components);
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
        check("pkg:oci/shopping", &[], &[], CURL, false);
        check("acme/shop:1.3", &[], &[], CURL, false);
        check("acme/shop@sha256:bb", &[], &[], CURL, false);
        check("shop", &[], &[], CURL, false);
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
