//! What a verification found.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::id::TenantId;

/// Findings that are kept; beyond that they are counted.
pub const FINDINGS_MAX: usize = 100;

/// Declares what can be wrong, with the codes that are printed.
macro_rules! faults {
    ($($(#[$meta:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// What can be wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum Fault { $($(#[$meta])* #[serde(rename = $text)] $name),+ }

        impl Fault {
            /// Every fault.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its code.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

faults! {
    /// A line is not of this form: not canonical, a field too many or too few.
    Malformed = "malformed",
    /// The file ends before it should.
    CutShort = "cut-short",
    /// A row or checkpoint belongs to another tenant.
    WrongTenant = "wrong-tenant",
    /// A checkpoint belongs to another installation.
    WrongOrigin = "wrong-origin",
    /// A checkpoint was not signed by a trusted key, or its signature does not fit its bytes.
    WrongKey = "wrong-key",
    /// A row is not the one that was sealed under its number.
    Edited = "edited",
    /// Sealed rows are not there.
    Removed = "removed",
    /// There are rows that were not sealed.
    Inserted = "inserted",
    /// A row stands after one with a higher number.
    Reordered = "reordered",
    /// A number is there twice.
    Duplicated = "duplicated",
    /// Rows fit together, but are not those that were signed.
    Rewritten = "rewritten",
    /// Rows stand after the last checkpoint.
    Uncovered = "uncovered",
    /// A checkpoint is missing, repeated, or does not follow the one before it.
    CheckpointOrder = "checkpoint-order",
    /// A checkpoint was sealed under an older epoch than the one before it.
    EpochFell = "epoch-fell",
    /// The export ends before a checkpoint that is held outside.
    RolledBack = "rolled-back",
    /// At a checkpoint that is held outside, history was another one.
    Forked = "forked",
    /// The export says nothing about a checkpoint that is held outside.
    NotCompared = "not-compared",
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub fault: Fault,
    /// The line of the export, from 1; absent where it is about the whole file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The sequence number of the row, or of the first of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// The sequence number of the last row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<u64>,
    /// The same in a sentence.
    pub detail: String,
}

/// What a verification came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// Whether nothing at all is wrong.
    pub sound: bool,
    /// Whose rows, as the header says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// The installation, as the header says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The sequence number of the first row that should be there.
    pub first: u64,
    /// The sequence number up to which checkpoints were read.
    pub last: u64,
    /// Rows read.
    pub rows: u64,
    /// Checkpoints read.
    pub checkpoints: u64,
    /// Checkpoints held outside that were met.
    pub held: u64,
    /// The keys that signed.
    pub keys: BTreeSet<String>,
    /// What is wrong: the first [`FINDINGS_MAX`].
    pub findings: Vec<Finding>,
    /// How many things are wrong in all.
    pub faults: u64,
}
