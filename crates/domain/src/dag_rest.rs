//! What is left to do of a run that has ended: its jobs that did not succeed, on the shoulders of those
//! that did.

use crate::dag::EdgePolicy;
use crate::state::JobState;

/// A job of an ended run.
#[derive(Debug, Clone)]
pub struct EndedNode {
    /// How it ended.
    pub end: JobState,
    /// The indices of its parents, all before it, and how it takes their ends.
    pub parents: Vec<(usize, EdgePolicy)>,
}

/// A job that is to be done again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again {
    /// Which one.
    pub node: usize,
    /// For whom it waits: indices into the answer, each before this one.
    pub parents: Vec<(usize, EdgePolicy)>,
}

/// What becomes of a job when its run is retried.
#[derive(Clone, Copy)]
enum Part {
    /// It succeeded: its result is taken as it is.
    Done,
    /// It is done again, at this place of the answer.
    Again(usize),
    /// The ends of its parents forbid it now as before.
    Out,
}

/// The jobs to be done again, parents first. Those that succeeded are not: their edges are settled. A
/// job whose parent's success forbids it (`onFailure`) stays out, and so does what requires it.
///
/// # Panics
/// When a parent stands behind its child.
pub fn rest(nodes: &[EndedNode]) -> Vec<Again> {
    let mut parts: Vec<Part> = Vec::with_capacity(nodes.len());
    let mut again = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        if node.end == JobState::Succeeded {
            parts.push(Part::Done);
            continue;
        }
        let mut parents = Vec::new();
        let mut allowed = true;
        for (parent, policy) in &node.parents {
            match parts[*parent] {
                Part::Again(place) => parents.push((place, *policy)),
                Part::Done => allowed &= policy.allows(JobState::Succeeded),
                Part::Out => allowed &= policy.allows(JobState::Skipped),
            }
        }
        if allowed {
            parts.push(Part::Again(again.len()));
            again.push(Again { node: at, parents });
        } else {
            parts.push(Part::Out);
        }
    }
    again
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::FailureClass;
    use EdgePolicy::{Always, OnFailure, Require};

    const FAILED: JobState = JobState::Failed {
        class: FailureClass::User,
    };

    fn check(
        nodes: &[(JobState, &[(usize, EdgePolicy)])],
        expected: &[(usize, &[(usize, EdgePolicy)])],
    ) {
        let nodes: Vec<EndedNode> = nodes
            .iter()
            .map(|(end, parents)| EndedNode {
                end: *end,
                parents: parents.to_vec(),
            })
            .collect();
        let expected: Vec<Again> = expected
            .iter()
            .map(|(node, parents)| Again {
                node: *node,
                parents: parents.to_vec(),
            })
            .collect();
        assert_eq!(rest(&nodes), expected);
    }

    #[test]
    fn what_succeeded_is_not_done_again() {
        check(
            &[
                (JobState::Succeeded, &[]),
                (FAILED, &[(0, Require)]),
                (JobState::Skipped, &[(0, Require), (1, Require)]),
            ],
            &[(1, &[]), (2, &[(0, Require)])],
        );
        check(&[(JobState::Succeeded, &[])], &[]);
    }

    #[test]
    fn who_waits_for_a_failure_stays_out_after_success() {
        check(
            &[
                (JobState::Succeeded, &[]),
                (JobState::Skipped, &[(0, OnFailure)]),
                (JobState::Skipped, &[(1, Require)]),
                (JobState::Canceled, &[(1, Always)]),
            ],
            &[(3, &[])],
        );
        check(
            &[(FAILED, &[]), (JobState::Succeeded, &[(0, OnFailure)])],
            &[(0, &[])],
        );
    }
}
