//! The shape of a run: which job waits for which.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::defaults::{DAG_DEPTH_MAX, DAG_FAN_MAX, DAG_NODES_MAX};
use crate::state::JobState;

/// How a child takes its parent's end.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum EdgePolicy {
    /// The parent must succeed.
    #[default]
    Require,
    /// The parent must end, no matter how.
    Always,
    /// The parent must fail or time out.
    OnFailure,
}

impl EdgePolicy {
    /// The wire and column spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Require => "require",
            Self::Always => "always",
            Self::OnFailure => "onFailure",
        }
    }

    /// Whether a parent that ended so lets its child start.
    pub const fn allows(self, end: JobState) -> bool {
        match self {
            Self::Require => matches!(end, JobState::Succeeded),
            Self::Always => end.is_terminal(),
            Self::OnFailure => matches!(end, JobState::Failed { .. } | JobState::TimedOut),
        }
    }
}

/// A policy nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an edge policy: require, always or onFailure")]
pub struct UnknownPolicy(pub String);

impl FromStr for EdgePolicy {
    type Err = UnknownPolicy;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Require, Self::Always, Self::OnFailure]
            .into_iter()
            .find(|policy| policy.as_str() == text)
            .ok_or_else(|| UnknownPolicy(text.to_owned()))
    }
}

/// One job of a run and whom it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The job's name within its run.
    pub key: String,
    /// Its parents' names and how it takes their ends.
    pub parents: BTreeMap<String, EdgePolicy>,
}

/// Why jobs do not form a DAG.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DagError {
    /// Two jobs of one run have one name.
    #[error("two jobs are called `{0}`")]
    DuplicateKey(String),
    /// A parent that is not in the run.
    #[error("`{child}` waits for `{parent}`, which is not a job of this run")]
    UnknownParent {
        /// Who waits.
        child: String,
        /// For whom.
        parent: String,
    },
    /// Jobs that wait for each other.
    #[error("these jobs wait for each other: {}", .0.join(", "))]
    Cycle(Vec<String>),
    /// More jobs, a longer path or more edges at one job than allowed.
    #[error("{what} is {found}; at most {limit} are allowed")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// How large it is.
        found: usize,
        /// How large it may be.
        limit: usize,
    },
}

/// Checks the shape and returns the indices of `nodes` in topological order, ties in the order of
/// their names.
///
/// # Errors
/// [`DagError`] says what is wrong and where.
pub fn order(nodes: &[Node]) -> Result<Vec<usize>, DagError> {
    bound("the number of jobs", nodes.len(), DAG_NODES_MAX)?;
    let mut index = BTreeMap::new();
    for (at, node) in nodes.iter().enumerate() {
        if index.insert(node.key.as_str(), at).is_some() {
            return Err(DagError::DuplicateKey(node.key.clone()));
        }
    }
    let mut children = vec![Vec::new(); nodes.len()];
    for (at, node) in nodes.iter().enumerate() {
        bound(
            "the number of parents of a job",
            node.parents.len(),
            DAG_FAN_MAX,
        )?;
        for parent in node.parents.keys() {
            let parent_at = *index
                .get(parent.as_str())
                .ok_or_else(|| DagError::UnknownParent {
                    child: node.key.clone(),
                    parent: parent.clone(),
                })?;
            children[parent_at].push(at);
        }
    }
    let widest = children.iter().map(Vec::len).max().unwrap_or(0);
    bound("the number of children of a job", widest, DAG_FAN_MAX)?;

    let mut waits: Vec<usize> = nodes.iter().map(|node| node.parents.len()).collect();
    let mut depth = vec![1_usize; nodes.len()];
    let mut free: BTreeSet<(&str, usize)> = index
        .iter()
        .map(|(key, at)| (*key, *at))
        .filter(|(_, at)| waits[*at] == 0)
        .collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some((_, at)) = free.pop_first() {
        order.push(at);
        for &child in &children[at] {
            depth[child] = depth[child].max(depth[at] + 1);
            waits[child] -= 1;
            if waits[child] == 0 {
                free.insert((nodes[child].key.as_str(), child));
            }
        }
    }
    if order.len() < nodes.len() {
        let stuck = index
            .into_iter()
            .filter(|(_, at)| waits[*at] > 0)
            .map(|(key, _)| key.to_owned());
        return Err(DagError::Cycle(stuck.take(10).collect()));
    }
    bound(
        "the longest path",
        depth.into_iter().max().unwrap_or(0),
        DAG_DEPTH_MAX,
    )?;
    Ok(order)
}

fn bound(what: &'static str, found: usize, limit: usize) -> Result<(), DagError> {
    if found > limit {
        Err(DagError::TooLarge { what, found, limit })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nodes(edges: &[(&str, &[&str])]) -> Vec<Node> {
        let node = |(key, parents): &(&str, &[&str])| Node {
            key: (*key).to_owned(),
            parents: parents
                .iter()
                .map(|parent| ((*parent).to_owned(), EdgePolicy::Require))
                .collect(),
        };
        edges.iter().map(node).collect()
    }

    fn check(edges: &[(&str, &[&str])], expected: Result<&[&str], &str>) {
        let nodes = nodes(edges);
        let found = order(&nodes)
            .map(|order| {
                order
                    .into_iter()
                    .map(|at| nodes[at].key.as_str())
                    .collect::<Vec<_>>()
            })
            .map_err(|error| error.to_string());
        assert_eq!(found.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn order_is_topological_and_lexical() {
        check(
            &[("z", &[]), ("b", &["z"]), ("a", &["z"]), ("c", &[])],
            Ok(&["c", "z", "a", "b"]),
        );
        check(
            &[("a", &["b"]), ("b", &["a"]), ("c", &[])],
            Err("these jobs wait for each other: a, b"),
        );
        check(&[("a", &["a"])], Err("these jobs wait for each other: a"));
        check(
            &[("a", &["x"])],
            Err("`a` waits for `x`, which is not a job of this run"),
        );
        check(&[("a", &[]), ("a", &[])], Err("two jobs are called `a`"));
    }

    #[test]
    fn a_path_beyond_the_bound_is_refused() {
        let names: Vec<String> = (0..=DAG_DEPTH_MAX).map(|n| format!("{n:04}")).collect();
        let chain: Vec<Node> = names
            .iter()
            .enumerate()
            .map(|(at, key)| Node {
                key: key.clone(),
                parents: at
                    .checked_sub(1)
                    .map(|up| (names[up].clone(), EdgePolicy::Require))
                    .into_iter()
                    .collect(),
            })
            .collect();
        let error = order(&chain).unwrap_err();
        assert_eq!(
            error,
            DagError::TooLarge {
                what: "the longest path",
                found: 257,
                limit: 256
            }
        );
    }

    proptest! {
        /// DAG-1: in any accepted order every parent stands before its children.
        #[test]
        fn parents_stand_first(edges in prop::collection::vec((0usize..12, 0usize..12), 0..40)) {
            let mut nodes: Vec<Node> =
                (0..12).map(|n| Node { key: format!("{n}"), parents: BTreeMap::new() }).collect();
            for (child, parent) in edges {
                nodes[child].parents.insert(format!("{parent}"), EdgePolicy::Require);
            }
            if let Ok(order) = order(&nodes) {
                let place: BTreeMap<&str, usize> =
                    order.iter().enumerate().map(|(place, at)| (nodes[*at].key.as_str(), place)).collect();
                for node in &nodes {
                    for parent in node.parents.keys() {
                        prop_assert!(place[parent.as_str()] < place[node.key.as_str()]);
                    }
                }
            }
        }
    }
}
