//! One real statement that a finding of two images does not matter.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::read_lines;

/// The document the statement is taken from, among those of Rancher's security team.
const FILE: &str = "pkg/golang/github.com/containernetworking/plugins/scan.openvex.json";
/// A wrong answer of `faccessat`, known at both dates.
const FLAW: &str = "CVE-2022-29526";
/// The part of the CNI plugins the flaw is in, at the version two of the demo's images have.
const PART: &str = "pkg:golang/golang.org/x/sys@v0.0.0-20210809222454-d867a43fc93e";

#[derive(Deserialize)]
struct HistoryLine {
    file: String,
    document: Option<SourceDocument>,
}

#[derive(Deserialize)]
struct SourceDocument {
    author: String,
    statements: Vec<Statement>,
}

/// A statement without its prose.
#[derive(Clone, Serialize, Deserialize)]
struct Statement {
    vulnerability: Vulnerability,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    products: Vec<Product>,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    justification: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Vulnerability {
    name: String,
    #[serde(default)]
    aliases: Vec<String>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Product {
    #[serde(rename = "@id")]
    id: String,
    #[serde(default)]
    subcomponents: Vec<Subcomponent>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Subcomponent {
    #[serde(rename = "@id")]
    id: String,
}

/// An `OpenVEX` document of our own around that statement.
#[derive(Serialize)]
pub(super) struct Document {
    #[serde(rename = "@context")]
    context: &'static str,
    #[serde(rename = "@id")]
    id: &'static str,
    author: String,
    timestamp: String,
    version: u32,
    statements: Vec<Statement>,
}

/// Finds the statement where it was first made.
pub(super) fn read_picked(data: &Path) -> Result<Document> {
    let path = data.join("vex/openvex-rancher.history.jsonl.zst");
    let lines: Vec<HistoryLine> = read_lines(&path, |line| line.contains(FILE))?;
    let documents = lines.into_iter().filter(|line| line.file == FILE);
    let (author, statement) = documents
        .filter_map(|line| line.document)
        .find_map(|document| {
            let statement = document
                .statements
                .iter()
                .find(|one| speaks_of_the_part(one))?;
            Some((document.author.clone(), statement.clone()))
        })
        .with_context(|| format!("no statement on {FLAW} in {}", path.display()))?;
    Ok(Document {
        context: "https://openvex.dev/ns/v0.2.0",
        id: "urn:jobengine:demo:vex",
        author,
        timestamp: statement
            .timestamp
            .clone()
            .context("the statement has no time")?,
        version: 1,
        statements: vec![statement],
    })
}

fn speaks_of_the_part(statement: &Statement) -> bool {
    let mut parts = statement
        .products
        .iter()
        .flat_map(|product| &product.subcomponents);
    statement.vulnerability.name == FLAW && parts.any(|part| part.id == PART)
}
