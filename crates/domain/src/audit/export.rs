//! The export: JSON Lines, each line canonical JSON, in the order in which rows were sealed.
//!
//! ```text
//! {"header":{"first":1,"format":"jobengine.audit.v1","last":2,"origin":"…","tenant":"…"}}
//! {"hash":"sha256:…","row":{…},"sequence":1}
//! {"hash":"sha256:…","row":{…},"sequence":2}
//! {"checkpoint":{…}}
//! ```
//!
//! One that does not begin with the first row has the checkpoint before it as `{"anchor":{…}}` after
//! the header. It holds no moment of its own making: the same range gives the same bytes.

use serde_json::{Value, json};

use super::row::AuditRow;
use super::seal::Seal;
use crate::canon::canonical;
use crate::dsse::Envelope;
use crate::id::TenantId;

/// What the header calls this form.
pub const FORMAT: &str = "jobengine.audit.v1";
/// Longest line, in bytes. The longest row there can be is a small part of it.
pub const LINE_MAX_BYTES: usize = 256 * 1024;

/// What an export says of itself. It is not signed: the checkpoints are what counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The installation.
    pub origin: String,
    /// Whose rows.
    pub tenant: TenantId,
    /// The sequence number of the first row.
    pub first: u64,
    /// The sequence number of the last row: `first` less one when there is none.
    pub last: u64,
}

/// The first line.
pub fn header(header: &Header) -> Vec<u8> {
    line(&json!({
        "header": {
            "format": FORMAT,
            "origin": header.origin,
            "tenant": header.tenant,
            "first": header.first,
            "last": header.last,
        }
    }))
}

/// The line of a row with its seal.
pub fn row(row: &AuditRow, seal: &Seal) -> Vec<u8> {
    line(&json!({ "hash": seal.hash, "row": row, "sequence": seal.sequence }))
}

/// The line of the checkpoint that ends a batch.
pub fn checkpoint(envelope: &Envelope) -> Vec<u8> {
    line(&json!({ "checkpoint": envelope }))
}

/// The line of the checkpoint before the first row.
pub fn anchor(envelope: &Envelope) -> Vec<u8> {
    line(&json!({ "anchor": envelope }))
}

fn line(value: &Value) -> Vec<u8> {
    let mut bytes = canonical(value).expect("sequence numbers stay below 2^53");
    bytes.push(b'\n');
    bytes
}
