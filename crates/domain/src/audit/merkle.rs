//! The Merkle tree over the rows of a batch (RFC 6962 section 2.1), in memory that grows with its
//! height and not with its leaves.

use super::chain::link;
use crate::digest::Digest;

/// A tree that grows leaf by leaf.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// Whole subtrees, the largest first; the bits of `leaves` say how large each is.
    whole: Vec<Digest>,
    leaves: u64,
}

impl Tree {
    /// Adds the hash of the next leaf.
    pub fn push(&mut self, leaf: Digest) {
        let mut node = leaf;
        let mut below = self.leaves;
        while below & 1 == 1 {
            let left = self
                .whole
                .pop()
                .expect("each bit of the count has its subtree");
            node = link(&left, &node);
            below >>= 1;
        }
        self.whole.push(node);
        self.leaves += 1;
    }

    /// How many leaves it has.
    pub const fn leaves(&self) -> u64 {
        self.leaves
    }

    /// The hash over all leaves; without any, that of no bytes.
    pub fn root(&self) -> Digest {
        let mut branches = self.whole.iter().rev();
        let Some(&last) = branches.next() else {
            return Digest::of(b"");
        };
        branches.fold(last, |right, left| link(left, &right))
    }
}

/// The hashes that lead from the leaf at `index` to the root: the audit path of RFC 6962, from the
/// leaf upwards. `None` when there is no such leaf.
pub fn path(leaves: &[Digest], index: usize) -> Option<Vec<Digest>> {
    if index >= leaves.len() {
        return None;
    }
    let mut path = Vec::new();
    let (mut rest, mut at) = (leaves, index);
    // From the root downwards: at each fork the other side is what the path needs.
    while rest.len() > 1 {
        let (left, right) = rest.split_at(rest.len().div_ceil(2).next_power_of_two());
        let side = if at < left.len() {
            rest = left;
            right
        } else {
            at -= left.len();
            rest = right;
            left
        };
        path.push(root(side));
    }
    path.reverse();
    Some(path)
}

/// Whether a path leads from `leaf` at `index` of `size` leaves to `root` (RFC 9162 section 2.1.3.2).
pub fn leads(leaf: Digest, index: u64, size: u64, path: &[Digest], root: &Digest) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut node) = (index, size - 1, leaf);
    for other in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            node = link(other, &node);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            node = link(&node, other);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && node == *root
}

fn root(leaves: &[Digest]) -> Digest {
    let mut tree = Tree::default();
    for leaf in leaves {
        tree.push(*leaf);
    }
    tree.root()
}

#[cfg(test)]
mod tests {
    use super::super::chain::leaf;
    use super::*;
    use proptest::prelude::*;

    /// The roots over the first 1, 2, … of the inputs that the Certificate Transparency projects test with.
    #[test]
    fn roots_are_those_of_certificate_transparency() {
        let inputs: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = Tree::default();
        assert_eq!(tree.root(), Digest::of(b""));
        for (input, root) in inputs.iter().zip(roots) {
            tree.push(leaf(input));
            assert_eq!(tree.root().hex(), root);
        }
        assert_eq!(tree.leaves(), 8);
    }

    proptest! {
        #[test]
        fn a_path_leads_from_its_leaf_and_from_no_other(size in 1_usize..70, index: prop::sample::Index, other: prop::sample::Index) {
            let leaves: Vec<_> = (0..size).map(|number| leaf(&number.to_be_bytes())).collect();
            let (at, root, other) = (index.index(size), root(&leaves), other.index(size));
            let path = path(&leaves, at).unwrap();
            let (at_64, other_64, size_64) = (at as u64, other as u64, size as u64);
            prop_assert!(leads(leaves[at], at_64, size_64, &path, &root));
            prop_assert_eq!(leads(leaves[other], at_64, size_64, &path, &root), at == other);
            prop_assert_eq!(leads(leaves[at], other_64, size_64, &path, &root), at == other);
            prop_assert!(!leads(leaves[at], size_64, size_64, &path, &root));
        }
    }

    #[test]
    fn there_is_no_path_from_nowhere() {
        assert_eq!(path(&[], 0), None);
        assert_eq!(path(&[leaf(b"")], 1), None);
    }
}
