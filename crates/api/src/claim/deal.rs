//! Who gets which of the next jobs.
//!
//! Jobs are taken in one order over all types, and each goes to a worker that takes its type and has room:
//! the one that got fewest so far; of those, the one that takes fewest types, so that a worker of many types
//! leaves the common ones to the others; of those, the one that waits longest.
//!
//! So no worker gets a job while one that comes before it, of a type that it takes, is left over.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A worker that waits: which types it takes, as ascending indices into the types of the look, and how many
/// jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hand {
    pub types: Vec<usize>,
    pub room: usize,
}

/// Deals jobs, each given by its type and in the order of claims, to `hands`. The answer names for each of
/// `types` types the hands that get its jobs, in the order of the jobs. Jobs that no hand has room for are
/// left out.
pub(super) fn deal(hands: &[Hand], types: usize, jobs: &[usize]) -> Vec<Vec<usize>> {
    let rank = |hand: usize, got: usize| Reverse((got, hands[hand].types.len(), hand));
    let mut got = vec![0; hands.len()];
    let mut takers: Vec<BinaryHeap<_>> = vec![BinaryHeap::new(); types];
    for (at, hand) in hands.iter().enumerate() {
        for job_type in hand.types.iter().filter(|_| hand.room > 0) {
            takers[*job_type].push(rank(at, 0));
        }
    }
    let mut dealt = vec![Vec::new(); types];
    for job_type in jobs {
        let takers = &mut takers[*job_type];
        while let Some(Reverse((had, _, at))) = takers.pop() {
            if got[at] == hands[at].room {
                continue;
            }
            // It got jobs of other types meanwhile: it stands further back now.
            if got[at] != had {
                takers.push(rank(at, got[at]));
                continue;
            }
            got[at] += 1;
            dealt[*job_type].push(at);
            takers.push(rank(at, got[at]));
            break;
        }
    }
    dealt
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::{Hand, deal};

    fn hand(types: &[usize], room: usize) -> Hand {
        Hand {
            types: types.to_vec(),
            room,
        }
    }

    fn check(hands: &[Hand], jobs: &[usize], expected: &[&[usize]]) {
        assert_eq!(deal(hands, expected.len(), jobs), expected);
    }

    #[test]
    fn jobs_go_round_until_hands_or_jobs_run_out() {
        let hands = [hand(&[0], 2), hand(&[0], 1), hand(&[0], 3)];
        check(&hands, &[0; 10], &[&[0, 1, 2, 0, 2, 2]]);
        check(&hands, &[0; 4], &[&[0, 1, 2, 0]]);
        check(&[hand(&[0], 0), hand(&[0], 5)], &[0, 0], &[&[1, 1]]);
        check(&[], &[0, 0, 0], &[&[]]);
    }

    #[test]
    fn one_order_holds_over_all_types() {
        check(&[hand(&[0, 1], 3)], &[1, 0, 1, 1], &[&[0], &[0, 0]]);
    }

    #[test]
    fn a_hand_of_many_types_leaves_the_common_ones_to_others() {
        let hands = [hand(&[0, 1], 1), hand(&[0], 1)];
        check(&hands, &[0, 1], &[&[1], &[0]]);
    }

    fn hands() -> impl Strategy<Value = Vec<Hand>> {
        let types = proptest::sample::subsequence(vec![0, 1, 2, 3], 1..=4);
        vec(
            (types, 0..5_usize).prop_map(|(types, room)| Hand { types, room }),
            0..6,
        )
    }

    proptest! {
        /// CLAIM-1: whoever gets a job was offered every job before it that was left over.
        #[test]
        fn no_hand_gets_a_job_before_an_earlier_one_that_it_takes(
            hands in hands(), jobs in vec(0..4_usize, 0..40),
        ) {
            let dealt = deal(&hands, 4, &jobs);
            let mut last = vec![None; hands.len()];
            let mut left_over = Vec::new();
            for (job_type, takers) in dealt.iter().enumerate() {
                let places: Vec<usize> = (0..jobs.len()).filter(|at| jobs[*at] == job_type).collect();
                prop_assert!(takers.len() <= places.len());
                for (hand, place) in takers.iter().zip(&places) {
                    prop_assert!(hands[*hand].types.contains(&job_type));
                    last[*hand] = last[*hand].max(Some(*place));
                }
                left_over.push(places.get(takers.len()).copied());
            }
            for (at, hand) in hands.iter().enumerate() {
                let got = dealt.iter().flatten().filter(|taker| **taker == at).count();
                prop_assert!(got <= hand.room);
                let first_left = hand.types.iter().filter_map(|job_type| left_over[*job_type]).min();
                // What is left over found every worker of its type full.
                prop_assert!(first_left.is_none() || got == hand.room);
                prop_assert!(first_left.is_none() || last[at] < first_left);
            }
        }
    }
}
