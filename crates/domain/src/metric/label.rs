//! Labels that several metrics share, and bounds of buckets.

use super::Label;
use crate::class::FailureClass;

/// An operation of the HTTP contract.
pub(super) const OPERATION: Label = Label::open(
    "operation",
    "an `operationId` of the contract, or `unmatched`",
);
/// Why an attempt failed.
pub(super) const CLASS: Label = Label::closed("class", &CLASSES);

/// From a quarter of a millisecond to 33 s, doubling: a long poll ends at 30 s.
pub(super) const LATENCY: &[u64] = &doubling::<18>(250);
/// From 1 ms to 9 h 6 min, doubling: a job may wait and run for long.
pub(super) const JOB_TIME: &[u64] = &doubling::<26>(1_000);
/// From 1 to 16,384, doubling.
pub(super) const BATCH: &[u64] = &doubling::<15>(1);

const CLASSES: [&str; 13] = {
    let mut names = ["none"; 13];
    let mut at = 0;
    while at < FailureClass::ALL.len() {
        names[at + 1] = FailureClass::ALL[at].as_str();
        at += 1;
    }
    names
};

const fn doubling<const N: usize>(from: u64) -> [u64; N] {
    let mut bounds = [from; N];
    let mut at = 1;
    while at < N {
        bounds[at] = bounds[at - 1] * 2;
        at += 1;
    }
    bounds
}
