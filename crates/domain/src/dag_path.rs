//! Levels and critical path of a DAG.

/// What a drawing of a DAG needs besides its nodes and edges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The level of each node: 0 without parents, else one more than the highest of its parents.
    pub levels: Vec<u32>,
    /// The nodes of the longest path by weight, first to last; of equals the one of lower indices.
    pub critical_path: Vec<usize>,
}

/// Lays out a DAG. `parents` holds each node's parents, all of them before it; `weights` says how long
/// each node takes, in any unit.
///
/// # Panics
/// When a parent stands behind its child, or the lengths differ.
pub fn layout(parents: &[Vec<usize>], weights: &[u64]) -> Layout {
    assert_eq!(parents.len(), weights.len(), "a weight for each node");
    let mut levels = Vec::with_capacity(parents.len());
    // The longest path that ends in each node, and the node before it on that path.
    let mut ends: Vec<(u64, Option<usize>)> = Vec::with_capacity(parents.len());
    for (at, parents) in parents.iter().enumerate() {
        assert!(parents.iter().all(|parent| *parent < at), "parents first");
        let level = parents.iter().map(|parent| levels[*parent] + 1).max();
        levels.push(level.unwrap_or(0));
        let before = parents
            .iter()
            .copied()
            .max_by_key(|parent| (ends[*parent].0, std::cmp::Reverse(*parent)));
        let length = before.map_or(0, |parent| ends[parent].0);
        ends.push((length.saturating_add(weights[at]), before));
    }
    let last = (0..ends.len()).max_by_key(|at| (ends[*at].0, std::cmp::Reverse(*at)));
    let mut critical_path: Vec<usize> = std::iter::successors(last, |at| ends[*at].1).collect();
    critical_path.reverse();
    Layout {
        levels,
        critical_path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(parents: &[&[usize]], weights: &[u64], levels: &[u32], path: &[usize]) {
        let parents: Vec<Vec<usize>> = parents.iter().map(|all| all.to_vec()).collect();
        let found = layout(&parents, weights);
        assert_eq!((&*found.levels, &*found.critical_path), (levels, path));
    }

    #[test]
    fn the_longest_path_by_weight_is_critical() {
        check(&[], &[], &[], &[]);
        check(
            &[&[], &[0], &[0], &[1, 2]],
            &[1, 5, 2, 1],
            &[0, 1, 1, 2],
            &[0, 1, 3],
        );
        check(
            &[&[], &[0], &[0], &[1, 2]],
            &[1, 2, 2, 1],
            &[0, 1, 1, 2],
            &[0, 1, 3],
        );
        check(&[&[], &[], &[0]], &[1, 9, 1], &[0, 0, 1], &[1]);
    }
}
