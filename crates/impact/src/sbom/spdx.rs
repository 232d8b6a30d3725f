//! SPDX JSON, versions 2.2 and 2.3 (<https://spdx.github.io/spdx-spec/v2.3/>).

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Sbom;
use super::parts::Parts;
use super::source::Stated;
use super::subject::{Described, digest_in, subject_name};
use crate::document::{Document, DocumentCode, DocumentError};

const VERSIONS: [&str; 2] = ["SPDX-2.2", "SPDX-2.3"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Root<'a> {
    spdx_version: String,
    name: Option<String>,
    document_describes: Option<Vec<String>>,
    #[serde(borrow)]
    packages: Option<Vec<Package<'a>>>,
    #[serde(borrow)]
    relationships: Option<Vec<Edge<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package<'a> {
    #[serde(rename = "SPDXID")]
    id: Option<String>,
    name: Option<String>,
    version_info: Option<String>,
    /// Read where it is of interest.
    #[serde(borrow)]
    source_info: Option<&'a RawValue>,
    external_refs: Option<Vec<ExternalRef>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExternalRef {
    reference_type: Option<String>,
    reference_locator: Option<String>,
}

/// One relationship: `from` is `kind` of `to`.
#[derive(Deserialize)]
struct Edge<'a> {
    #[serde(borrow, default, rename = "spdxElementId")]
    from: Cow<'a, str>,
    #[serde(borrow, default, rename = "relationshipType")]
    kind: Cow<'a, str>,
    #[serde(borrow, default, rename = "relatedSpdxElement")]
    to: Cow<'a, str>,
}

/// Reads a document that says it is SPDX 2.
pub(super) fn read(document: &Document<'_>) -> Result<Sbom, DocumentError> {
    let spdx: Root<'_> = document.parse(DocumentCode::SbomFieldInvalid)?;
    if !VERSIONS.contains(&spdx.spdx_version.as_str()) {
        return Err(document.refuse(
            DocumentCode::SbomVersionUnsupported,
            "spdxVersion",
            format_args!("`{}`; SPDX-2.2 and SPDX-2.3 are read", spdx.spdx_version),
        ));
    }
    let packages = spdx.packages.as_deref().unwrap_or_default();
    let subject = subject(&spdx, packages);
    let mut parts = Parts::new(document);
    for (index, package) in packages.iter().enumerate() {
        if subject == Some(index) {
            continue;
        }
        for (place, purl) in package.purls() {
            let path = format_args!("packages[{index}].externalRefs[{place}].referenceLocator");
            let stated = Stated::in_source_info(purl, package.source_info);
            parts.add(purl, stated, path)?;
        }
    }
    let components = parts.finish();
    let mut described = subject
        .map(|index| packages[index].described())
        .unwrap_or_default();
    let image_digest = described.digest();
    let image_digest = image_digest.or_else(|| spdx.name.as_deref().and_then(digest_in));
    // A package that is known by its digest alone has the document's name.
    if described.name.and_then(subject_name).is_none() {
        described.name = spdx.name.as_deref();
    }
    Ok(Sbom {
        image_digest,
        subject: described.name.and_then(subject_name),
        names: described.names(),
        format: spdx.spdx_version,
        components,
    })
}

impl Package<'_> {
    /// The purls of a package with their position among its references. The category is not looked
    /// at: 2.2 and 2.3 spell it differently, and the type is unique without it.
    fn purls(&self) -> impl Iterator<Item = (usize, &str)> {
        let refs = self.external_refs.as_deref().unwrap_or_default();
        refs.iter().enumerate().filter_map(|(place, reference)| {
            let kind = reference.reference_type.as_deref()?;
            let locator = reference.reference_locator.as_deref()?;
            (kind == "purl" || kind.ends_with("/purl")).then_some((place, locator))
        })
    }

    fn described(&self) -> Described<'_> {
        Described {
            name: self.name.as_deref(),
            version: self.version_info.as_deref(),
            purls: self.purls().map(|(_, purl)| purl).collect(),
            references: Vec::new(),
        }
    }
}

/// The package that the document describes. A document that describes several describes a
/// collection, and each of them is part of it: leaving them out would hide what they hold.
fn subject(spdx: &Root<'_>, packages: &[Package<'_>]) -> Option<usize> {
    let listed = spdx.document_describes.iter().flatten().map(String::as_str);
    let related = spdx.relationships.iter().flatten().filter_map(|edge| {
        let (document, described) = match edge.kind.as_ref() {
            "DESCRIBES" => (&edge.from, &edge.to),
            "DESCRIBED_BY" => (&edge.to, &edge.from),
            _ => return None,
        };
        (document == "SPDXRef-DOCUMENT").then_some(described.as_ref())
    });
    let described: BTreeSet<&str> = listed.chain(related).collect();
    let mut found = packages.iter().enumerate().filter(|(_, package)| {
        package
            .id
            .as_deref()
            .is_some_and(|id| described.contains(id))
    });
    match (found.next(), found.next()) {
        (Some((index, _)), None) => Some(index),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::document::DocumentCode;
    use crate::sbom::{Sbom, read};

    fn sbom(text: &str) -> Sbom {
        read(text.as_bytes()).expect("a readable document")
    }

    fn package(id: &str, purl: &str) -> String {
        format!(
            r#"{{"SPDXID":"{id}","name":"{id}","externalRefs":[
                {{"referenceCategory":"SECURITY","referenceType":"cpe23Type","referenceLocator":"cpe:2.3:a:b"}},
                {{"referenceCategory":"PACKAGE_MANAGER","referenceType":"purl","referenceLocator":"{purl}"}}]}}"#
        )
    }

    fn check(rest: &str, subject: Option<&str>, expected: &[&str]) {
        let packages = [
            package("SPDXRef-a", "pkg:npm/a@1"),
            package("SPDXRef-b", "pkg:npm/b@1"),
            package("SPDXRef-c", "pkg:npm/b@1"),
        ];
        let read = sbom(&format!(
            r#"{{"spdxVersion":"SPDX-2.3","packages":[{}]{rest}}}"#,
            packages.join(",")
        ));
        let purls: Vec<_> = read.components.iter().map(|it| it.purl.as_str()).collect();
        assert_eq!(
            (read.subject.as_deref(), purls.as_slice()),
            (subject, expected),
            "{rest}"
        );
    }

    #[test]
    fn the_described_package_is_the_subject() {
        let describes = |kind: &str, from: &str, to: &str| {
            format!(
                r#","relationships":[{{"spdxElementId":"{from}","relationshipType":"{kind}",
                    "relatedSpdxElement":"{to}"}}]"#
            )
        };
        check("", None, &["pkg:npm/a@1", "pkg:npm/b@1"]);
        check(
            r#","documentDescribes":["SPDXRef-a"]"#,
            Some("SPDXRef-a"),
            &["pkg:npm/b@1"],
        );
        let rest = describes("DESCRIBES", "SPDXRef-DOCUMENT", "SPDXRef-a");
        check(&rest, Some("SPDXRef-a"), &["pkg:npm/b@1"]);
        let rest = describes("DESCRIBED_BY", "SPDXRef-a", "SPDXRef-DOCUMENT");
        check(&rest, Some("SPDXRef-a"), &["pkg:npm/b@1"]);
        // Syft 0.64 lets the document describe itself.
        let rest = describes("DESCRIBES", "SPDXRef-DOCUMENT", "SPDXRef-DOCUMENT");
        check(&rest, None, &["pkg:npm/a@1", "pkg:npm/b@1"]);
        // A collection.
        let rest = r#","documentDescribes":["SPDXRef-a","SPDXRef-b"]"#;
        check(rest, None, &["pkg:npm/a@1", "pkg:npm/b@1"]);
    }

    #[test]
    fn the_image_is_found_in_the_name_or_in_the_described_package() {
        let digits = "0f".repeat(32);
        let read = sbom(&format!(
            r#"{{"spdxVersion":"SPDX-2.2","name":"a/b@sha256:{digits}"}}"#
        ));
        let digest = Some(format!("sha256:{digits}"));
        assert_eq!(
            (read.image_digest, read.subject),
            (digest.clone(), Some("a/b".to_owned()))
        );

        let purl = format!("pkg:oci/b@sha256:{digits}?repository_url=r/b");
        let read = sbom(&format!(
            r#"{{"spdxVersion":"SPDX-2.2","documentDescribes":["x"],"packages":[{}]}}"#,
            package("x", &purl)
        ));
        assert_eq!((read.image_digest, read.components.len()), (digest, 0));
        let names: Vec<&str> = read.names.iter().map(String::as_str).collect();
        assert_eq!(names, [purl.as_str(), "x"]);
    }

    fn refused(text: &str, code: DocumentCode, place: &str) {
        let error = read(text.as_bytes()).expect_err("refused");
        assert_eq!((error.code, error.place.as_str()), (code, place), "{error}");
    }

    #[test]
    fn bad_documents_are_named_with_their_place() {
        let code = DocumentCode::SbomVersionUnsupported;
        refused(r#"{"spdxVersion":"SPDX-2.1"}"#, code, "spdxVersion");
        refused(
            &format!(
                r#"{{"spdxVersion":"SPDX-2.3","packages":[{}]}}"#,
                package("x", "pkg:npm/%4")
            ),
            DocumentCode::PurlInvalid,
            "packages[0].externalRefs[1].referenceLocator",
        );
        refused(
            r#"{"spdxVersion":"SPDX-2.3","packages":[{"externalRefs":7}]}"#,
            DocumentCode::SbomFieldInvalid,
            "packages[0].externalRefs",
        );
    }
}
