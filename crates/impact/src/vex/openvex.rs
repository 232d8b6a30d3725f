//! `OpenVEX` documents, versions 0.0.1 to 0.2.0
//! (<https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md>).

use std::collections::{BTreeMap, BTreeSet};

use jobengine_domain::time::Timestamp;
use serde::Deserialize;

use super::{Product, Statement, Status};
use crate::document::{self, Document, DocumentCode, DocumentError};

/// Bytes of one document.
pub const VEX_MAX_BYTES: usize = 32 * 1024 * 1024;

/// What the context of every version begins with.
const CONTEXT: &str = "https://openvex.dev/ns";

/// Versions named behind [`CONTEXT`]; early documents name none.
const VERSIONS: [&str; 4] = ["", "/v0.0.1", "/v0.0.2", "/v0.2.0"];

/// Reads one document.
///
/// A statement without a time has the document's. Where a product is called by several names (its
/// `@id`, a purl), the statement counts for each of them.
///
/// # Errors
/// What [`Document::check`] and [`Document::parse`] refuse; [`DocumentCode::VexInvalid`] where the
/// context is another one, or a statement lacks flaw, product or status.
pub fn read(bytes: &[u8]) -> Result<Vec<Statement>, DocumentError> {
    read_document(&Document::check(bytes, VEX_MAX_BYTES)?)
}

/// Reads a file of documents: one, a JSON array of them, or JSON Lines. A document that is refused
/// does not take the others with it.
pub fn read_all(bytes: &[u8]) -> impl Iterator<Item = Result<Vec<Statement>, DocumentError>> {
    let documents = document::records(bytes, VEX_MAX_BYTES);
    documents
        .into_iter()
        .map(|document| read_document(&document?))
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "@context")]
    context: Option<String>,
}

#[derive(Deserialize)]
struct Vex {
    timestamp: Option<String>,
    statements: Vec<StatementEntry>,
}

#[derive(Deserialize)]
struct StatementEntry {
    vulnerability: Option<Vulnerability>,
    timestamp: Option<String>,
    products: Option<Vec<Component>>,
    /// Version 0.0.1 narrows all products of a statement at once.
    subcomponents: Option<Vec<Component>>,
    status: Option<Status>,
    justification: Option<String>,
}

/// A bare id before 0.2.0.
#[derive(Deserialize)]
#[serde(untagged)]
enum Vulnerability {
    Id(String),
    Named {
        #[serde(rename = "@id")]
        id: Option<String>,
        name: Option<String>,
        aliases: Option<Vec<String>>,
    },
}

/// A product or a part of one; a bare id before 0.2.0.
#[derive(Deserialize)]
#[serde(untagged)]
enum Component {
    Id(String),
    Named {
        #[serde(rename = "@id")]
        id: Option<String>,
        identifiers: Option<BTreeMap<String, String>>,
        hashes: Option<BTreeMap<String, String>>,
        subcomponents: Option<Vec<Component>>,
    },
}

fn read_document(document: &Document<'_>) -> Result<Vec<Statement>, DocumentError> {
    let head: Head = document.parse(DocumentCode::VexInvalid)?;
    let context = head.context.unwrap_or_default();
    let version = context
        .strip_prefix(CONTEXT)
        .map(|rest| rest.trim_end_matches('/'));
    if version.is_none_or(|version| !VERSIONS.contains(&version)) {
        let detail = format!("`{context}` is not the context of OpenVEX 0.0.1 to 0.2.0");
        return Err(document.refuse(DocumentCode::VexInvalid, "@context", detail));
    }
    let vex: Vex = document.parse(DocumentCode::VexInvalid)?;
    check_time(document, "timestamp", vex.timestamp.as_deref())?;
    let inherited = vex.timestamp.unwrap_or_default();
    vex.statements
        .into_iter()
        .enumerate()
        .map(|(index, entry)| {
            let path = format!("statements[{index}]");
            check_time(
                document,
                &format!("{path}.timestamp"),
                entry.timestamp.as_deref(),
            )?;
            let missing = |field: &str| {
                let path = format_args!("{path}.{field}");
                let detail = format_args!("the statement has no {field}");
                document.refuse(DocumentCode::VexInvalid, path, detail)
            };
            let vulnerabilities = entry
                .vulnerability
                .map(Vulnerability::names)
                .unwrap_or_default();
            if vulnerabilities.is_empty() {
                return Err(missing("vulnerability"));
            }
            let narrowed = parts(entry.subcomponents.as_deref());
            let products: BTreeSet<Product> = entry
                .products
                .into_iter()
                .flatten()
                .flat_map(|product| product.products(&narrowed))
                .collect();
            if products.is_empty() {
                return Err(missing("products"));
            }
            Ok(Statement {
                vulnerabilities,
                products,
                status: entry.status.ok_or_else(|| missing("status"))?,
                justification: entry.justification.filter(|text| !text.is_empty()),
                timestamp: entry.timestamp.unwrap_or_else(|| inherited.clone()),
            })
        })
        .collect()
}

/// The newest statement decides, so a time that nobody can read is not passed over.
fn check_time(
    document: &Document<'_>,
    path: &str,
    text: Option<&str>,
) -> Result<(), DocumentError> {
    match text.map(str::parse::<Timestamp>) {
        None | Some(Ok(_)) => Ok(()),
        Some(Err(error)) => Err(document.refuse(DocumentCode::VexInvalid, path, error)),
    }
}

impl Vulnerability {
    /// The name and the aliases. The `@id` is an address of a page; it counts where there is no name.
    fn names(self) -> BTreeSet<String> {
        let names = match self {
            Self::Id(id) => vec![id],
            Self::Named { id, name, aliases } => {
                let own = name.or(id);
                own.into_iter()
                    .chain(aliases.into_iter().flatten())
                    .collect()
            }
        };
        names.into_iter().filter(|name| !name.is_empty()).collect()
    }
}

impl Component {
    /// The component under each of its names; `narrowed` holds parts named elsewhere.
    fn products(self, narrowed: &BTreeSet<String>) -> Vec<Product> {
        let ids = self.ids();
        let (digests, own_parts) = match self {
            Self::Id(_) => (BTreeSet::new(), None),
            Self::Named {
                hashes,
                subcomponents,
                ..
            } => (digests(hashes), subcomponents),
        };
        let mut subcomponents = parts(own_parts.as_deref());
        subcomponents.extend(narrowed.iter().cloned());
        let product = |id: String| Product {
            id,
            digests: digests.clone(),
            subcomponents: subcomponents.clone(),
        };
        if ids.is_empty() {
            // Known by its digest alone.
            return digests.iter().take(1).cloned().map(product).collect();
        }
        ids.into_iter().map(product).collect()
    }

    fn ids(&self) -> BTreeSet<String> {
        let ids = match self {
            Self::Id(id) => [Some(id), None],
            Self::Named {
                id, identifiers, ..
            } => [
                id.as_ref(),
                identifiers.as_ref().and_then(|known| known.get("purl")),
            ],
        };
        ids.into_iter()
            .flatten()
            .filter(|id| !id.is_empty())
            .cloned()
            .collect()
    }
}

fn parts(list: Option<&[Component]>) -> BTreeSet<String> {
    list.into_iter()
        .flatten()
        .flat_map(Component::ids)
        .collect()
}

/// `sha-256` and its value → `sha256:…`, as image digests are written.
fn digests(hashes: Option<BTreeMap<String, String>>) -> BTreeSet<String> {
    let hashes = hashes.unwrap_or_default().into_iter();
    hashes
        .map(|(kind, value)| {
            let kind = kind.to_ascii_lowercase().replacen("sha-", "sha", 1);
            let value = value
                .strip_prefix(&format!("{kind}:"))
                .unwrap_or(&value)
                .to_owned();
            format!("{kind}:{}", value.to_ascii_lowercase())
        })
        .collect()
}

#[cfg(test)]
mod tests;
