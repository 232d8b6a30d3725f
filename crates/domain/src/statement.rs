//! in-toto statements: who is spoken of, and what is said (in-toto attestation framework v1).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// The type of every statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The payload type of a statement in a DSSE envelope.
pub const STATEMENT_PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// The predicate type of a run's completion.
pub const RUN_COMPLETION: &str = "urn:jobengine:predicate:run-completion:v1";

/// A statement with a predicate of type `P`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement<P> {
    /// Always [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub statement_type: String,
    /// What the statement is about, sorted by digest.
    pub subject: Vec<Subject>,
    /// What kind of thing is said.
    pub predicate_type: String,
    /// What is said.
    pub predicate: P,
}

/// Something a statement is about, named by content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subject {
    /// A name for people.
    pub name: String,
    /// Algorithm → hex digits.
    pub digest: BTreeMap<String, String>,
}

impl Subject {
    /// Names something by its SHA-256.
    pub fn new(name: String, digest: &Digest) -> Self {
        Self {
            name,
            digest: BTreeMap::from([("sha256".to_owned(), digest.hex())]),
        }
    }
}

impl<P> Statement<P> {
    /// A statement about `subject`, which is sorted here.
    pub fn new(mut subject: Vec<Subject>, predicate_type: &str, predicate: P) -> Self {
        subject.sort_by(|a, b| (&a.digest, &a.name).cmp(&(&b.digest, &b.name)));
        Self {
            statement_type: STATEMENT_TYPE.to_owned(),
            subject,
            predicate_type: predicate_type.to_owned(),
            predicate,
        }
    }
}
