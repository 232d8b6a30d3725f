//! What a transaction made ready: whoever commits it can tell the workers that wait for it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::caller::Tx;

/// Jobs of one type that may start now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadyJobs {
    /// Their type.
    pub job_type: String,
    /// The lowest sort key among them.
    pub from: i64,
    /// How many they are.
    pub jobs: u32,
}

/// The notes of one transaction, by job type: the lowest sort key, and how many.
#[derive(Debug, Default)]
pub(crate) struct ReadyNotes(Mutex<BTreeMap<String, (i64, u32)>>);

impl ReadyNotes {
    fn add(&self, job_type: &str, sort_key: i64) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match notes.get_mut(job_type) {
            Some((from, jobs)) => {
                *from = sort_key.min(*from);
                *jobs = jobs.saturating_add(1);
            }
            None => {
                notes.insert(job_type.to_owned(), (sort_key, 1));
            }
        }
    }
}

impl Tx {
    /// The jobs this transaction has made ready so far, by type. They are once it is committed.
    pub fn ready(&self) -> Vec<ReadyJobs> {
        let notes = self
            .ready_notes()
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        notes
            .iter()
            .map(|(job_type, (from, jobs))| ReadyJobs {
                job_type: job_type.clone(),
                from: *from,
                jobs: *jobs,
            })
            .collect()
    }

    pub(crate) fn note_ready(&self, job_type: &str, sort_key: i64) {
        self.ready_notes().add(job_type, sort_key);
    }
}
