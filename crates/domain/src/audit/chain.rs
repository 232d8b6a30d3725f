//! The chain: each row's hash covers the row and every row before it.
//!
//! `hash(i) = SHA-256(0x01 ‖ hash(i − 1) ‖ SHA-256(0x00 ‖ row(i)))`, and `hash(0)` names the tenant.
//! The first byte keeps the three kinds of hash apart (RFC 6962 section 2.1).

use crate::digest::Digest;
use crate::id::TenantId;

/// The hash before the first row of a tenant: a row of one tenant's chain is never one of another's.
pub fn genesis(tenant: TenantId) -> Digest {
    tagged(0x02, &[tenant.0.as_bytes()])
}

/// The hash of a row's canonical bytes: a leaf of the Merkle tree too.
pub fn leaf(row: &[u8]) -> Digest {
    tagged(0x00, &[row])
}

/// The hash of two hashes: of the chain so far and the next leaf, or of two branches of a tree.
pub fn link(left: &Digest, right: &Digest) -> Digest {
    tagged(0x01, &[left.as_bytes(), right.as_bytes()])
}

fn tagged(tag: u8, parts: &[&[u8]]) -> Digest {
    let mut bytes = vec![tag];
    for part in parts {
        bytes.extend_from_slice(part);
    }
    Digest::of(&bytes)
}
