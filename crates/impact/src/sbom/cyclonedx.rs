//! `CycloneDX` JSON, versions 1.2 to 1.6 (<https://cyclonedx.org/docs/1.6/json/>).

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Sbom;
use super::parts::Parts;
use super::source::{Stated, repo_tags};
use super::subject::{Described, subject_name};
use crate::document::{Document, DocumentCode, DocumentError};

const VERSIONS: [&str; 5] = ["1.2", "1.3", "1.4", "1.5", "1.6"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bom<'a> {
    spec_version: Option<String>,
    #[serde(borrow)]
    metadata: Option<Metadata<'a>>,
    #[serde(borrow)]
    components: Option<Vec<Part<'a>>>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    component: Option<Part<'a>>,
}

#[derive(Deserialize)]
struct Part<'a> {
    name: Option<String>,
    version: Option<String>,
    purl: Option<String>,
    /// Read where they are of interest: some documents consist of little else.
    #[serde(borrow)]
    properties: Option<&'a RawValue>,
    #[serde(borrow)]
    components: Option<Vec<Part<'a>>>,
}

/// Reads a document that says it is `CycloneDX`.
pub(super) fn read(document: &Document<'_>) -> Result<Sbom, DocumentError> {
    let bom: Bom<'_> = document.parse(DocumentCode::SbomFieldInvalid)?;
    let version = bom.spec_version.unwrap_or_default();
    if !VERSIONS.contains(&version.as_str()) {
        return Err(document.refuse(
            DocumentCode::SbomVersionUnsupported,
            "specVersion",
            format_args!("CycloneDX `{version}`; 1.2 to 1.6 are read"),
        ));
    }
    let subject = bom.metadata.and_then(|it| it.component);

    let mut parts = Parts::new(document);
    // The subject is no component, but what it holds is.
    let held = subject.as_ref().and_then(|it| it.components.as_deref());
    add_all(
        &mut parts,
        held.unwrap_or_default(),
        "metadata.component.components",
    )?;
    add_all(
        &mut parts,
        bom.components.as_deref().unwrap_or_default(),
        "components",
    )?;

    let described = subject.as_ref().map(Part::described).unwrap_or_default();
    Ok(Sbom {
        format: format!("CycloneDX-{version}"),
        image_digest: described.digest(),
        subject: described.name.and_then(subject_name),
        names: described.names(),
        components: parts.finish(),
    })
}

impl Part<'_> {
    fn described(&self) -> Described<'_> {
        Described {
            name: self.name.as_deref(),
            version: self.version.as_deref(),
            purls: self.purl.iter().map(String::as_str).collect(),
            references: repo_tags(self.properties),
        }
    }
}

/// Adds a list of components and, behind each, what it holds. The depth is bounded by the document's.
fn add_all(parts: &mut Parts<'_, '_>, list: &[Part<'_>], path: &str) -> Result<(), DocumentError> {
    for (index, part) in list.iter().enumerate() {
        if let Some(purl) = &part.purl {
            let stated = Stated::in_properties(purl, part.properties);
            parts.add(purl, stated, format_args!("{path}[{index}].purl"))?;
        }
        if let Some(held) = &part.components {
            add_all(parts, held, &format!("{path}[{index}].components"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::document::DocumentCode;
    use crate::sbom::{Sbom, read};

    fn sbom(text: &str) -> Sbom {
        read(text.as_bytes()).expect("a readable document")
    }

    fn purls(sbom: &Sbom) -> Vec<&str> {
        sbom.components
            .iter()
            .map(|component| component.purl.as_str())
            .collect()
    }

    #[test]
    fn a_tree_is_read_in_order_and_each_purl_once() {
        let read = sbom(
            r#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":[
                {"purl":"pkg:npm/b@1","components":[{"purl":"pkg:npm/c@1"},{"name":"no purl"}]},
                {"purl":"pkg:npm/a@1"},{"purl":"pkg:npm/b@1"},{"purl":null}],
              "metadata":{"component":{"name":"shop","version":"1","purl":"pkg:npm/shop@1",
                "components":[{"purl":"pkg:npm/held@1"}]}}}"#,
        );
        assert_eq!(
            purls(&read),
            [
                "pkg:npm/held@1",
                "pkg:npm/b@1",
                "pkg:npm/c@1",
                "pkg:npm/a@1"
            ]
        );
        assert_eq!(read.format, "CycloneDX-1.5");
        assert_eq!(read.subject.as_deref(), Some("shop"));
        assert_eq!(read.image_digest, None);
    }

    #[test]
    fn an_image_is_known_by_its_tags() {
        let read = sbom(
            r#"{"bomFormat":"CycloneDX","specVersion":"1.5","metadata":{"component":{"type":"container",
                "name":"shop.tar","version":"1","purl":"pkg:oci/shop?repository_url=r.example/acme&tag=1.2",
                "properties":[{"name":"aquasecurity:trivy:RepoTag","value":"acme/shop:1.2"},
                    {"name":"aquasecurity:trivy:RepoTag","value":"acme/shop:latest"},{"name":"other","value":7}]}}}"#,
        );
        let names: Vec<&str> = read.names.iter().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "acme/shop:1.2",
                "acme/shop:latest",
                "pkg:oci/shop?repository_url=r.example/acme&tag=1.2",
                "shop.tar",
                "shop.tar:1"
            ]
        );
    }

    #[test]
    fn a_purl_that_comes_twice_takes_the_better_statement() {
        let purl = "pkg:deb/debian/libssl1.1@1.1.1n-0?distro=debian-11";
        let entry = |name: &str, value: &str| {
            format!(r#"{{"purl":"{purl}","properties":[{{"name":"{name}","value":"{value}"}}]}}"#)
        };
        let syft = entry("syft:metadata:source", "other");
        let trivy = entry("aquasecurity:trivy:SrcName", "openssl");
        let bare = format!(r#"{{"purl":"{purl}","properties":{{"odd":7}}}}"#);
        for entries in [
            [&bare, &syft, &trivy],
            [&trivy, &bare, &syft],
            [&syft, &trivy, &bare],
        ] {
            let list = entries.map(String::as_str).join(",");
            let read = sbom(&format!(
                r#"{{"bomFormat":"CycloneDX","specVersion":"1.4","metadata":{{"tools":7}},
                    "components":[{list}]}}"#
            ));
            let [component] = read.components.as_slice() else {
                panic!("{read:?}")
            };
            let package = component.identity.as_ref().expect("a package");
            assert_eq!(package.key.to_string(), "Debian:11/openssl", "{list}");
            assert!(!component.source_assumed);
        }
    }

    #[test]
    fn odd_purls_stay_with_a_reason() {
        let read = sbom(
            r#"{"bomFormat":"CycloneDX","specVersion":"1.2","components":[
                {"purl":"https://example.org/100%"},{"purl":"pkg:none/x@1"},{"purl":"pkg:npm/a%00@1"}]}"#,
        );
        assert_eq!(purls(&read).len(), 3);
        assert!(
            read.components
                .iter()
                .all(|component| component.identity.is_err()),
            "{read:?}"
        );
    }

    fn refused(text: &str, code: DocumentCode, place: &str) {
        let error = read(text.as_bytes()).expect_err("refused");
        assert_eq!((error.code, error.place.as_str()), (code, place), "{error}");
    }

    #[test]
    fn bad_documents_are_named_with_their_place() {
        let bom = |rest: &str| format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.4",{rest}}}"#);
        let code = DocumentCode::PurlInvalid;
        refused(
            &bom(
                r#""components":[{"purl":"pkg:npm/a@1"},{"components":[{"purl":"pkg:npm/%zz@1"}]}]"#,
            ),
            code,
            "components[1].components[0].purl",
        );
        refused(
            &bom(r#""components":[{"purl":"pkg:npm/a@1%4"}]"#),
            code,
            "components[0].purl",
        );
        let code = DocumentCode::SbomFieldInvalid;
        refused(
            &bom(r#""components":[{"purl":7}]"#),
            code,
            "components[0].purl",
        );
        refused(&bom(r#""components":{}"#), code, "components");
        refused(
            &bom(r#""components":[{"purl":"#),
            DocumentCode::JsonInvalid,
            "line 1 column 68",
        );
        refused(
            r#"{"bomFormat":"CycloneDX","specVersion":"2.0"}"#,
            DocumentCode::SbomVersionUnsupported,
            "specVersion",
        );
        refused(
            r#"{"name":"package.json"}"#,
            DocumentCode::SbomFormatUnknown,
            "bomFormat",
        );
        refused(
            r#"{"bomFormat":"CycloneDX","#,
            DocumentCode::Truncated,
            "line 1 column 25",
        );
        refused(
            r#"{"@graph":[]}"#,
            DocumentCode::SbomVersionUnsupported,
            "@graph",
        );
    }
}
