//! The picked images and their SBOMs.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::package::{PackageName, Purl};
use super::{pick, read_lines};

/// One line of `images.jsonl.zst`.
#[derive(Serialize)]
pub(super) struct Image {
    repository: String,
    digest: String,
    /// Which tool listed the components: `syft`, `trivy`, `cargo-lock`.
    tool: String,
    sbom: CycloneDx,
}

/// The least of a `CycloneDX` 1.5 document that says what an image is made of.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CycloneDx {
    bom_format: &'static str,
    spec_version: &'static str,
    version: u32,
    metadata: Metadata,
    components: Vec<Component>,
}

#[derive(Serialize)]
struct Metadata {
    timestamp: String,
    tools: Tools,
    component: Component,
}

#[derive(Serialize)]
struct Tools {
    components: Vec<Component>,
}

#[derive(Serialize)]
struct Component {
    #[serde(rename = "type")]
    kind: &'static str,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
}

/// What both lists of SBOMs in the data folder say about one image.
struct Listing {
    repository: String,
    digest: String,
    tool: String,
    tool_version: Option<String>,
    time: String,
    purls: Vec<String>,
}

#[derive(Deserialize)]
struct FleetLine {
    image: String,
    digest: Option<String>,
    tool: String,
    creators: Vec<String>,
    created: String,
    purls: Vec<String>,
}

#[derive(Deserialize)]
struct LockFileLine {
    image: String,
    commit: String,
    time: String,
    purls: Vec<String>,
}

impl Image {
    /// The packages an advisory could name.
    pub(super) fn packages(&self) -> impl Iterator<Item = PackageName> {
        self.sbom.components.iter().filter_map(|component| {
            let purl = Purl::split(component.purl.as_deref()?)?;
            PackageName::of_component(&purl)
        })
    }

    /// How many components the SBOM lists.
    pub(super) fn component_count(&self) -> usize {
        self.sbom.components.len()
    }
}

/// Reads the picked images, sorted by repository.
pub(super) fn read_picked(data: &Path) -> Result<Vec<Image>> {
    let mut images = Vec::new();
    let is_picked = |line: &str| pick::FLEET.iter().any(|pick| line.contains(pick.image));
    let fleet: Vec<FleetLine> = read_lines(&data.join("sboms/fleet.jsonl.zst"), is_picked)?;
    for pick in pick::FLEET {
        let newest = fleet
            .iter()
            .filter(|line| line.image == pick.image && line.tool == pick.tool)
            .max_by_key(|line| (&line.created, &line.digest))
            .with_context(|| format!("no SBOM of {} by {}", pick.image, pick.tool))?;
        images.push(image(Listing {
            repository: newest.image.clone(),
            digest: newest
                .digest
                .clone()
                .with_context(|| format!("{} has no digest", pick.image))?,
            tool: newest.tool.clone(),
            tool_version: tool_version(&newest.creators, &newest.tool),
            time: newest.created.clone(),
            purls: newest.purls.clone(),
        }));
    }
    let is_picked = |line: &str| {
        pick::LOCK_FILES
            .iter()
            .any(|pick| line.contains(pick.commit))
    };
    let history: Vec<LockFileLine> =
        read_lines(&data.join("sboms/component-history.jsonl.zst"), is_picked)?;
    for pick in pick::LOCK_FILES {
        let line = history
            .iter()
            .find(|line| line.image == pick.image && line.commit == pick.commit)
            .with_context(|| format!("no lock file of {} at {}", pick.image, pick.commit))?;
        images.push(image(Listing {
            repository: line.image.clone(),
            digest: digest_of_list(&line.purls),
            tool: "cargo-lock".to_owned(),
            tool_version: None,
            time: line.time.clone(),
            purls: line.purls.clone(),
        }));
    }
    images.sort_by(|a, b| (&a.repository, &a.digest).cmp(&(&b.repository, &b.digest)));
    Ok(images)
}

/// `0.64.0` of `Tool: syft-0.64.0`.
fn tool_version(creators: &[String], tool: &str) -> Option<String> {
    let start = format!("Tool: {tool}-");
    let version = creators
        .iter()
        .find_map(|creator| creator.strip_prefix(&start));
    version.map(str::to_owned)
}

/// A lock file is no image and has no digest of one: the list itself is digested, a purl a line.
fn digest_of_list(purls: &[String]) -> String {
    let mut text = String::from("sha256:");
    for byte in Sha256::digest(purls.join("\n")) {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
    }
    text
}

fn image(listing: Listing) -> Image {
    let mut seen = BTreeSet::new();
    let components = listing
        .purls
        .iter()
        // The image itself stands in the metadata.
        .filter(|purl| !purl.starts_with("pkg:oci/") && seen.insert(purl.as_str()))
        .map(|purl| library(purl))
        .collect();
    let tool = Component {
        kind: "application",
        name: listing.tool.clone(),
        version: listing.tool_version,
        purl: None,
    };
    let subject = Component {
        kind: "container",
        name: listing.repository.clone(),
        version: Some(listing.digest.clone()),
        purl: None,
    };
    Image {
        repository: listing.repository,
        digest: listing.digest,
        tool: listing.tool,
        sbom: CycloneDx {
            bom_format: "CycloneDX",
            spec_version: "1.5",
            version: 1,
            metadata: Metadata {
                timestamp: listing.time,
                tools: Tools {
                    components: vec![tool],
                },
                component: subject,
            },
            components,
        },
    }
}

/// A component under the name its packagers use: without the distribution, with scope or group.
fn library(purl: &str) -> Component {
    let parts = Purl::split(purl);
    let name = parts
        .as_ref()
        .map_or(purl, |parts| match parts.kind.as_str() {
            "deb" | "rpm" | "apk" | "alpine" => {
                parts.path.rsplit('/').next().unwrap_or(&parts.path)
            }
            _ => &parts.path,
        });
    Component {
        kind: "library",
        name: name.to_owned(),
        version: parts.as_ref().and_then(|parts| parts.version.clone()),
        purl: Some(purl.to_owned()),
    }
}
