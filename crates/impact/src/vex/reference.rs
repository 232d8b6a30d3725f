//! Image references: `registry/repository:tag@digest` and `pkg:oci/…`, in one spelling.

use std::collections::BTreeMap;

use crate::purl::Purl;

/// The purl type of container images.
pub(super) const OCI: &str = "oci";
/// The registry meant by a reference that names none.
const DEFAULT_REGISTRY: &str = "docker.io";

/// An image reference in its parts: `registry/repository:tag@digest`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// With its registry; `None` when only the image's short name is known.
    repository: Option<String>,
    /// The last segment of the repository.
    name: String,
    tag: Option<String>,
    pub(super) digest: Option<String>,
    /// What else a purl says: `arch`, `os`, …
    qualifiers: BTreeMap<String, String>,
}

impl Reference {
    /// Of an image, which is known by a reference or by a purl.
    pub(super) fn of_image(name: &str) -> Self {
        match Purl::parse(name) {
            Ok(purl) if purl.kind == OCI => Self::of_purl(&purl),
            _ => Self::read(name),
        }
    }

    pub(super) fn read(text: &str) -> Self {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.to_owned())),
            None => (text, None),
        };
        // A colon before the last slash belongs to the registry's port.
        let (repository, tag) = match rest.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag.to_owned())),
            _ => (rest, None),
        };
        let repository = full_repository(repository);
        let name = last_segment(&repository).to_owned();
        Self {
            repository: Some(repository),
            name,
            tag,
            digest,
            qualifiers: BTreeMap::new(),
        }
    }

    /// From `pkg:oci/NAME@DIGEST?repository_url=…&tag=…`. `repository_url` is found with and
    /// without the image's name at its end.
    pub(super) fn of_purl(purl: &Purl) -> Self {
        let mut qualifiers = purl.qualifiers.clone();
        let name = purl.name.clone();
        let repository = qualifiers.remove("repository_url").map(|url| {
            let repository = full_repository(&url);
            if last_segment(&repository) == name {
                return repository;
            }
            full_repository(&format!("{url}/{name}"))
        });
        // Some write a tag where the digest belongs.
        let is_digest = |version: &String| version.contains(':');
        let (digest, tag) = (
            purl.version.clone().filter(is_digest),
            purl.version.clone().filter(|version| !is_digest(version)),
        );
        Self {
            repository,
            name,
            tag: qualifiers.remove("tag").or(tag),
            digest,
            qualifiers,
        }
    }

    /// Whether this reference of a statement means the image with that name. What the statement adds
    /// (a tag, an architecture) must be said of the image too. A digest is not looked at here.
    pub(super) fn names(&self, image: &Self) -> bool {
        let place = match &self.repository {
            Some(_) => self.repository == image.repository,
            None => self.name == image.name,
        };
        let qualifiers = &image.qualifiers;
        place
            && (self.tag.is_none() || self.tag == image.tag)
            && (self.qualifiers.iter()).all(|(key, value)| qualifiers.get(key) == Some(value))
    }
}

/// `redis` → `docker.io/library/redis`; `index.docker.io/a/b` → `docker.io/a/b`.
fn full_repository(text: &str) -> String {
    let text = text.trim_end_matches('/');
    let text = text.strip_prefix("index.docker.io/").unwrap_or(text);
    let (first, rest) = text.split_once('/').unwrap_or(("", text));
    let is_registry = first.contains(['.', ':']) || first == "localhost";
    match (is_registry, first.is_empty()) {
        (true, _) if first == DEFAULT_REGISTRY && !rest.contains('/') => {
            format!("{DEFAULT_REGISTRY}/library/{rest}")
        }
        (true, _) => text.to_owned(),
        (false, true) => format!("{DEFAULT_REGISTRY}/library/{text}"),
        (false, false) => format!("{DEFAULT_REGISTRY}/{text}"),
    }
}

fn last_segment(repository: &str) -> &str {
    repository.rsplit('/').next().unwrap_or(repository)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_have_one_spelling() {
        let full = |text: &str| Reference::read(text).repository.unwrap();
        assert_eq!(full("redis"), "docker.io/library/redis");
        assert_eq!(full("docker.io/redis:7"), "docker.io/library/redis");
        assert_eq!(full("localhost:5000/a/b"), "localhost:5000/a/b");
        assert_eq!(
            full("index.docker.io/library/redis@sha256:aa"),
            "docker.io/library/redis"
        );
        assert_eq!(
            Reference::read("localhost:5000/a/b:1").tag.as_deref(),
            Some("1")
        );
    }
}
