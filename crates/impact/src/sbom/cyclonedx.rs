//! `CycloneDX` JSON, versions 1.2 to 1.6 (<https://cyclonedx.org/docs/1.6/json/>).

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Sbom;
use super::parts::{Parts, digest_in, records_source_packages, subject_name};
use crate::document::{Document, DocumentCode, DocumentError};

const VERSIONS: [&str; 5] = ["1.2", "1.3", "1.4", "1.5", "1.6"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bom {
    spec_version: Option<String>,
    metadata: Option<Metadata>,
    components: Option<Vec<Part>>,
}

#[derive(Deserialize)]
struct Metadata {
    tools: Option<Tools>,
    component: Option<Part>,
}

/// A list of tools up to 1.4; since 1.5 also an object that describes them as components.
#[derive(Deserialize)]
#[serde(untagged)]
enum Tools {
    List(Vec<Tool>),
    Object { components: Option<Vec<Tool>> },
    Other(IgnoredAny),
}

#[derive(Deserialize)]
struct Tool {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Part {
    name: Option<String>,
    version: Option<String>,
    purl: Option<String>,
    components: Option<Vec<Part>>,
}

/// Reads a document that says it is `CycloneDX`.
pub(super) fn read(document: &Document<'_>) -> Result<Sbom, DocumentError> {
    let bom: Bom = document.parse(DocumentCode::SbomFieldInvalid)?;
    let version = bom.spec_version.unwrap_or_default();
    if !VERSIONS.contains(&version.as_str()) {
        return Err(document.refuse(
            DocumentCode::SbomVersionUnsupported,
            "specVersion",
            format_args!("CycloneDX `{version}`; 1.2 to 1.6 are read"),
        ));
    }
    let (tools, subject) = bom
        .metadata
        .map_or((None, None), |it| (it.tools, it.component));

    let mut parts = Parts::new(document, by_recording_tool(tools.as_ref()));
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

    Ok(Sbom {
        format: format!("CycloneDX-{version}"),
        image_digest: subject.as_ref().and_then(|it| {
            [&it.version, &it.purl, &it.name]
                .into_iter()
                .flatten()
                .find_map(|text| digest_in(text))
        }),
        subject: subject
            .and_then(|it| it.name)
            .and_then(|name| subject_name(&name)),
        components: parts.finish(),
    })
}

/// Adds a list of components and, behind each, what it holds. The depth is bounded by the document's.
fn add_all(parts: &mut Parts<'_, '_>, list: &[Part], path: &str) -> Result<(), DocumentError> {
    for (index, part) in list.iter().enumerate() {
        if let Some(purl) = &part.purl {
            parts.add(purl, format_args!("{path}[{index}].purl"))?;
        }
        if let Some(held) = &part.components {
            add_all(parts, held, &format!("{path}[{index}].components"))?;
        }
    }
    Ok(())
}

fn by_recording_tool(tools: Option<&Tools>) -> bool {
    let tools = match tools {
        Some(Tools::List(list)) => list.as_slice(),
        Some(Tools::Object { components }) => components.as_deref().unwrap_or_default(),
        Some(Tools::Other(_)) | None => &[],
    };
    tools
        .iter()
        .filter_map(|tool| tool.name.as_deref())
        .any(records_source_packages)
}

#[cfg(test)]
mod tests {
    use crate::document::DocumentCode;
    use crate::sbom::{Sbom, Unmatched, read};

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
    fn debian_is_judged_only_where_the_tool_records_sources() {
        let purl = "pkg:deb/debian/libssl1.1@1.1.1n-0?upstream=openssl&distro=debian-11";
        let check = |tools: &str, judged: bool| {
            let read = sbom(&format!(
                r#"{{"bomFormat":"CycloneDX","specVersion":"1.4","metadata":{{"tools":{tools}}},
                    "components":[{{"purl":"{purl}"}}]}}"#
            ));
            let identity = &read.components[0].identity;
            assert_eq!(identity.is_ok(), judged, "{tools}: {identity:?}");
            assert!(
                judged || *identity == Err(Unmatched::DebianSourceUnknown),
                "{identity:?}"
            );
        };
        check(
            r#"[{"vendor":"anchore","name":"syft","version":"0.57.0"}]"#,
            true,
        );
        check(
            r#"{"components":[{"type":"application","name":"syft"}]}"#,
            true,
        );
        check(r#"[{"name":"trivy"}]"#, false);
        check(r#"{"services":[]}"#, false);
        check("7", false);
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
