//! Reading foreign documents without trusting them.

/// Why a document was refused: a stable code, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail} ({place})")]
pub struct DocumentError {
    /// What is wrong; stable, part of the contract.
    pub code: DocumentCode,
    /// Where: `line 3 column 17`, `components[4].purl`, `byte 512`.
    pub place: String,
    /// One sentence for a person.
    pub detail: String,
}

/// What can be wrong with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentCode {
    /// Not JSON, or cut short.
    JsonInvalid,
}

impl std::fmt::Display for DocumentCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DOCUMENT_JSON_INVALID")
    }
}
