//! VEX: statements that a product is, or is not, affected by a flaw.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub mod openvex;
pub mod product;
mod reference;
pub mod verdict;

/// One statement about some products and one flaw.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// The flaw's id and its aliases (`CVE-…`, `GHSA-…`).
    pub vulnerabilities: BTreeSet<String>,
    /// Products the statement speaks of: purls or ids; never empty.
    pub products: BTreeSet<Product>,
    /// The verdict.
    pub status: Status,
    /// Why a product is not affected, as the document words it (a closed vocabulary of `OpenVEX`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justification: Option<String>,
    /// RFC 3339 time of the statement; the newest statement about a product and flaw counts.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub timestamp: String,
}

/// A product of a statement: an image or a package, narrowed by subcomponents when there are any.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Product {
    /// A purl, or another identifier.
    pub id: String,
    /// Digests of the product (`sha256:…`), where given.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub digests: BTreeSet<String>,
    /// Purls of the parts the statement is limited to; empty: the whole product.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub subcomponents: BTreeSet<String>,
}

/// The verdict of a statement (`OpenVEX` 0.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The flaw cannot be used against the product.
    NotAffected,
    /// It can.
    Affected,
    /// The product contains a fix.
    Fixed,
    /// Nobody knows yet.
    UnderInvestigation,
}

impl Status {
    /// Whether a finding under this verdict is taken away.
    pub const fn suppresses(self) -> bool {
        match self {
            Self::NotAffected | Self::Fixed => true,
            Self::Affected | Self::UnderInvestigation => false,
        }
    }
}
